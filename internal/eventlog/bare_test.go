package eventlog

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadBareGivesAllButHeaders(t *testing.T) {
	want := []Record{
		{Key: []byte("k"), Value: []byte("v"), Headers: []Header{{Key: "h", Value: []byte("x")}}, Timestamp: 5},
		{Value: []byte{}, Timestamp: 6},
		{Key: []byte{}, Headers: []Header{{Key: "a"}, {Key: "b", Value: []byte{}}}, Timestamp: 7},
	}
	var d decoder
	d.bare = true
	b := new(batch)
	b.reset()
	for i := range want {
		b.add(&want[i], recordBound(&want[i]))
	}
	b.seal(10)
	h, ok := parseHeader(b.buf)
	if !ok {
		t.Fatal("the batch does not parse")
	}
	var got []Record
	more, err := d.each(&h, b.buf, 0, 100, func(o int64, r *Record) bool {
		if o != 10+int64(len(got)) {
			t.Errorf("offset %d", o)
		}
		got = append(got, r.clone())
		return true
	})
	if !more || err != nil {
		t.Fatal(more, err)
	}
	for i := range want {
		want[i].Headers = nil
		want[i] = want[i].clone()
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestSparesAreBounded(t *testing.T) {
	s := spares[batch]{max: 1}
	a, b := s.get(), s.get()
	s.put(a)
	s.put(b)
	if s.get() != a {
		t.Error("what was put back is not given")
	}
	if c := s.get(); c == b || c == nil {
		t.Error("more was kept than the bound")
	}
}

package vfs

import "testing"

func TestFillMakesRoomWhereTheSystemCannotReserveIt(t *testing.T) {
	f, err := NewOS(t.TempDir()).Create("a")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write([]byte("abc")); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{1 << 20, 10} { // never shrinks
		if err := f.(*osFile).fill(size); err != nil {
			t.Fatal(err)
		}
	}
	b := make([]byte, 5)
	_, err = f.ReadAt(b, 0)
	if n, serr := f.Size(); n != 1<<20 || serr != nil || err != nil || string(b) != "abc\x00\x00" {
		t.Errorf("size %d, %v; content %q, %v", n, serr, b, err)
	}
}

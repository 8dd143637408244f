package sketch

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// seeds are sketches of every form, Spark's and DataSketches'.
func seeds(f *testing.F) {
	f.Helper()
	for _, s := range []string{
		"0201070c030003082bf2fb06862ff90d34a2610e0000000000000000000000000000000000000000",
		"0301070805000009140000000000000081bc5d0600000000cef05b1f6ec5340600000000862ff90d0000000000000000db522d0400000000cbd7c20400000000b05b4612ae3c881100000000c1e9170500000000d21673070000000034a2610e75816607f671f20600000000b83ff907464ab704fc2d420a7b65e6082bf2fb06c3dd5104000000007c74b907",
		"0a0107040000000a0bb66a5349cc32400000000000a420400000000000000000050000000000000004010101030103000100000202000700",
		"0a010704000000020bb66a5349cc32400000000000a4204000000000000000000500000000000000f401010103010300", // registers of 4 bits
		"0104033d011acc93032d0c35ee5befc8ae3efa70d1dfa7ab8724382ff06872ae",
		"03030300001acc93000000000000803f6a918b0b0be72c0f",
		"02030901000acc93030000000000000015f97dcbbd86a10501000000001ad1300b998c2f220100000000c397fc1281709d1e0200000000",
		"05010f00c80008000400000000000000c8000100c4000000010000000000000009000000000000000100000000000000020000000000000002000000000000000900000000000000",
		"04010a0e030000000300000000000000040000000000000000000000000000000100000000000000010000000000000002000000000000000901000000090900000009020000000000000000000001",
	} {
		b, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// FuzzRead: bytes from anywhere give an error or a sketch that can be used,
// and whose own bytes read back to the same bytes.
func FuzzRead(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := ReadHLL(b); err == nil {
			s.Estimate()
			u := NewHLL(MinLgK)
			u.Merge(s)
			again(t, s.Bytes(), func(b []byte) ([]byte, error) {
				s, err := ReadHLL(b)
				if err != nil {
					return nil, err
				}
				return s.Bytes(), nil
			})
		}
		if s, err := ReadTheta(b); err == nil {
			u := NewThetaUnion(MinLgEntries)
			u.AddSet(s)
			u.Result().Intersect(s).Without(s).Estimate()
			again(t, s.Bytes(), func(b []byte) ([]byte, error) {
				s, err := ReadTheta(b)
				if err != nil {
					return nil, err
				}
				return s.Bytes(), nil
			})
		}
		readTuple[int32](t, b)
		readTuple[float64](t, b)
		readKLL[int64](t, b)
		readKLL[float32](t, b)
		if s, err := ReadFrequent(b, cutBytes); err == nil {
			s.Top(5)
			n := NewFrequent(1)
			n.Merge(s)
		}
	})
}

func again(t *testing.T, b []byte, read func([]byte) ([]byte, error)) {
	t.Helper()
	if c, err := read(b); err != nil || !bytes.Equal(b, c) {
		t.Fatalf("%x reads back as %x, %v", b, c, err)
	}
}

func readTuple[T number](t *testing.T, b []byte) {
	t.Helper()
	s, err := ReadTuple[T](b)
	if err != nil {
		return
	}
	u := NewTupleUnion[T](MinLgEntries, Sum)
	u.AddSketch(s)
	u.Result().Without(s.Intersect(s, Min).Keys()).Values()
	s.Bytes()
}

func readKLL[T item](t *testing.T, b []byte) {
	t.Helper()
	s, err := ReadKLL[T](b)
	if err != nil {
		return
	}
	s.Quantiles([]float64{0, 0.5, 1})
	s.Ranks([]T{0, 1})
	_ = s.String()
	n := NewKLL[T](MinK)
	n.Merge(s)
	n.Add(1)
	n.Bytes()
}

func cutBytes(b []byte, n int) ([]Item, bool) {
	if len(b) < n {
		return nil, false
	}
	var out []Item
	for i := range n {
		out = append(out, Item{Bytes: string(b[i : i+1]), Hash: int32(b[i])})
	}
	return out, true
}

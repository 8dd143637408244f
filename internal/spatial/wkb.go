package spatial

import (
	"encoding/binary"
	"fmt"
	"math"
)

// maxDepth bounds how deep collections may nest.
const maxDepth = 1000

// The kinds of a geometry: a type's number below the thousands.
const (
	point = 1 + iota
	lineString
	polygon
	multiPoint
	multiLineString
	multiPolygon
	collection
)

var kindNames = [...]string{point: "Point", lineString: "LineString", polygon: "Polygon", multiPoint: "MultiPoint",
	multiLineString: "MultiLineString", multiPolygon: "MultiPolygon", collection: "GeometryCollection"}

// elements are what a geometry of a kind consists of, in the words of errors.
var elements = [...]string{lineString: "points", polygon: "rings", multiPoint: "points", multiLineString: "linestrings",
	multiPolygon: "polygons", collection: "geometries"}

// Error is a text that is no WKB.
type Error struct {
	Problem string
	Offset  int // in bytes from the start
}

// Error is the problem with its place.
func (e *Error) Error() string { return fmt.Sprintf("%s at byte %d", e.Problem, e.Offset) }

// Recode checks a geometry and writes it again with all numbers in one byte
// order, the least significant byte first unless big; bytes behind it are left
// out. Coordinates of a geography are degrees: -180 to 180 and -90 to 90.
//
// As in Spark, a Point may have NaN for coordinates, which makes it empty; all
// others are finite. A LineString has no point or two, a ring four, the last
// at the first's place.
//
// The error is an *Error. The result is the caller's.
func Recode(wkb []byte, geography, big bool) ([]byte, error) {
	if len(wkb) == 0 {
		return nil, &Error{Problem: "WKB is empty"}
	}
	r := recoder{in: wkb, geography: geography, order: binary.LittleEndian, mark: 1, out: make([]byte, 0, len(wkb))}
	if big {
		r.order, r.mark = binary.BigEndian, 0
	}
	if _, err := r.geometry(-1, maxDepth); err != nil {
		return nil, err
	}
	return r.out, nil
}

type recoder struct {
	in        []byte
	at        int
	geography bool
	order     interface {
		binary.ByteOrder
		binary.AppendByteOrder
	}
	mark byte // of order
	out  []byte
}

func fail(at int, format string, args ...any) error {
	return &Error{Problem: fmt.Sprintf(format, args...), Offset: at}
}

// need fails where fewer than n bytes are left.
func (r *recoder) need(n int) error {
	if len(r.in)-r.at < n {
		return fail(r.at, "WKB ends too early")
	}
	return nil
}

// geometry copies one with the coordinates' layout of dims, any where that is
// negative, and answers with its kind.
func (r *recoder) geometry(dims, depth int) (kind int, err error) {
	if depth == 0 {
		return 0, fail(r.at, "collections nest deeper than %d", maxDepth)
	}
	if err := r.need(5); err != nil {
		return 0, err
	}
	if r.in[r.at] > 1 {
		return 0, fail(r.at, "invalid byte order %d", r.in[r.at])
	}
	var from binary.ByteOrder = binary.BigEndian
	if r.in[r.at] == 1 {
		from = binary.LittleEndian
	}
	t := int32(from.Uint32(r.in[r.at+1:]))
	kind = int(t % 1000)
	if t < 0 || t >= 4000 || kind < point || kind > collection || dims >= 0 && int(t/1000) != dims {
		return 0, fail(r.at+1, "invalid or unsupported type %d", t)
	}
	dims = int(t / 1000)
	r.at += 5
	r.out = r.order.AppendUint32(append(r.out, r.mark), uint32(t))
	width := 8 * (2 + (dims+1)/2) // XY, XYZ, XYM, XYZM
	switch kind {
	case point:
		return kind, r.coordinates(from, width, true)
	case lineString:
		return kind, r.points(from, width, false)
	}
	n, err := r.count(from, kind, map[int]int{polygon: 4}[kind])
	if err != nil {
		return 0, err
	}
	for range n {
		if kind == polygon {
			err = r.points(from, width, true)
		} else {
			err = r.part(kind, dims, depth)
		}
		if err != nil {
			return 0, err
		}
	}
	return kind, nil
}

// part copies one of the geometries of a kind that has some.
func (r *recoder) part(of, dims, depth int) error {
	got, err := r.geometry(dims, depth-1)
	if err != nil {
		return err
	}
	if want := of - multiPoint + point; of != collection && got != want {
		return fail(r.at, "expected a %s in a %s", kindNames[want], kindNames[of])
	}
	return nil
}

// count copies how many elements follow, each of at least size bytes.
func (r *recoder) count(from binary.ByteOrder, kind, size int) (int, error) {
	if err := r.need(4); err != nil {
		return 0, err
	}
	n := int(int32(from.Uint32(r.in[r.at:])))
	if size == 0 {
		size = 5
	}
	if n < 0 || n > (len(r.in)-r.at-4)/size {
		return 0, fail(r.at, "invalid count of %s in a %s: %d", elements[kind], kindNames[kind], n)
	}
	r.at += 4
	r.out = r.order.AppendUint32(r.out, uint32(n))
	return n, nil
}

// points copies those of a line, or of a ring, which ends where it begins.
func (r *recoder) points(from binary.ByteOrder, width int, ring bool) error {
	start := r.at
	n, err := r.count(from, lineString, width)
	if err != nil {
		return err
	}
	switch {
	case ring && n < 4:
		return fail(start, "too few points in a ring")
	case n == 1:
		return fail(start, "too few points in a linestring")
	}
	first := r.at
	for range n {
		if err := r.coordinates(from, width, false); err != nil {
			return err
		}
	}
	if last := r.at - width; ring && (number(from, r.in[first:]) != number(from, r.in[last:]) || number(from, r.in[first+8:]) != number(from, r.in[last+8:])) {
		return fail(start, "a ring is not closed")
	}
	return nil
}

func number(from binary.ByteOrder, b []byte) float64 { return math.Float64frombits(from.Uint64(b)) }

// coordinates copies those of one point of so many bytes.
func (r *recoder) coordinates(from binary.ByteOrder, width int, mayBeEmpty bool) error {
	if err := r.need(width); err != nil {
		return err
	}
	for i := 0; i < width; i += 8 {
		x := number(from, r.in[r.at+i:])
		bad := math.IsInf(x, 0) || math.IsNaN(x) && !mayBeEmpty
		if r.geography {
			bad = bad || i == 0 && math.Abs(x) > 180 || i == 8 && math.Abs(x) > 90
		}
		if bad {
			return fail(r.at, "invalid coordinate %v", x)
		}
		r.out = r.order.AppendUint64(r.out, math.Float64bits(x))
	}
	r.at += width
	return nil
}

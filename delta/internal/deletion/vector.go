package deletion

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/marisma/marisma/delta/internal/action"
)

// Bitmap is the set of deleted row positions of one file, from 0.
type Bitmap = roaring64.Bitmap

// magic begins the serialised bitmap, little-endian; the portable 64-bit
// Roaring form follows.
const magic = 1681511377

// version is the first byte of a file of deletion vectors.
const version = 1

// MaxBytes bounds a serialised vector.
const MaxBytes = 1 << 30

// The storage types of a descriptor.
const (
	Inline   = "i" // in the descriptor, as Z85
	Relative = "u" // a file named by a UUID below the table's root
	Absolute = "p" // a file at an absolute path
)

// Path is where the vector of a descriptor lies: for a relative one the path
// below the table's root, for an absolute one its path or URI as written.
// Inline ones have none.
func Path(d *action.DeletionVector) (string, error) {
	switch d.StorageType {
	case Absolute:
		return d.PathOrInlineDv, nil
	case Relative:
		const uuid = 20
		if len(d.PathOrInlineDv) < uuid {
			return "", fmt.Errorf("deletion vector: %q is no encoded UUID", d.PathOrInlineDv)
		}
		at := len(d.PathOrInlineDv) - uuid
		id, err := decodeZ85(d.PathOrInlineDv[at:])
		if err != nil {
			return "", err
		}
		h := hex.EncodeToString(id)
		name := fmt.Sprintf("deletion_vector_%s-%s-%s-%s-%s.bin", h[:8], h[8:12], h[12:16], h[16:20], h[20:])
		if at > 0 {
			name = d.PathOrInlineDv[:at] + "/" + name
		}
		return name, nil
	}
	return "", fmt.Errorf("deletion vector: storage type %q has no file", d.StorageType)
}

// Descriptor names a vector in the relative file of a UUID, under an optional
// folder prefix.
func Descriptor(prefix string, uuid [16]byte, at Place, rows int64) *action.DeletionVector {
	off := int32(at.Offset)
	return &action.DeletionVector{
		StorageType: Relative, PathOrInlineDv: prefix + encodeZ85(uuid[:]), Offset: &off,
		SizeInBytes: int32(at.Size), Cardinality: rows,
	}
}

// DecodeInline reads the vector that a descriptor holds itself.
func DecodeInline(d *action.DeletionVector) (*Bitmap, error) {
	raw, err := decodeZ85(d.PathOrInlineDv)
	if err != nil {
		return nil, err
	}
	if n := int(d.SizeInBytes); n > 0 && n <= len(raw) && len(raw)-n < 4 {
		raw = raw[:n] // the text is padded to whole groups
	}
	return decode(raw, d.Cardinality)
}

// Read reads a descriptor's vector from its file.
func Read(file io.ReaderAt, d *action.DeletionVector) (*Bitmap, error) {
	if d.SizeInBytes < 4 || int64(d.SizeInBytes) > MaxBytes {
		return nil, fmt.Errorf("deletion vector: a size of %d bytes", d.SizeInBytes)
	}
	offset := int64(1)
	if d.Offset != nil {
		offset = int64(*d.Offset)
	}
	buf := make([]byte, 4+int(d.SizeInBytes)+4)
	if n, err := file.ReadAt(buf, offset); err != nil && (!errors.Is(err, io.EOF) || n < len(buf)) {
		return nil, fmt.Errorf("deletion vector: %d bytes at %d: %w", len(buf), offset, err)
	}
	if n := binary.BigEndian.Uint32(buf); n != uint32(d.SizeInBytes) {
		return nil, fmt.Errorf("deletion vector: the file says %d bytes at %d, the log %d", n, offset, d.SizeInBytes)
	}
	body := buf[4 : len(buf)-4]
	if sum := binary.BigEndian.Uint32(buf[len(buf)-4:]); sum != crc32.ChecksumIEEE(body) {
		return nil, fmt.Errorf("deletion vector: wrong checksum at %d", offset)
	}
	return decode(body, d.Cardinality)
}

func decode(raw []byte, rows int64) (*Bitmap, error) {
	if len(raw) < 4 || binary.LittleEndian.Uint32(raw) != magic {
		return nil, errors.New("deletion vector: not a bitmap of the portable 64-bit form")
	}
	b, err := parse(raw[4:])
	if err != nil {
		return nil, fmt.Errorf("deletion vector: %w", err)
	}
	if n := b.GetCardinality(); n != uint64(rows) {
		return nil, fmt.Errorf("deletion vector: it has %d rows, the log says %d", n, rows)
	}
	return b, nil
}

// parse reads the portable form. The library panics on some malformed input.
func parse(raw []byte) (b *Bitmap, err error) {
	defer func() {
		if p := recover(); p != nil {
			b, err = nil, fmt.Errorf("malformed bitmap: %v", p)
		}
	}()
	// Each of the maps takes 12 bytes at least: a count beyond that would only
	// make the library allocate.
	if len(raw) < 8 || binary.LittleEndian.Uint64(raw) > uint64(len(raw))/12 {
		return nil, errors.New("malformed bitmap: too short for what it announces")
	}
	b = roaring64.New()
	if _, err := b.ReadFrom(bytes.NewReader(raw)); err != nil {
		return nil, fmt.Errorf("malformed bitmap: %w", err)
	}
	if err := b.Validate(); err != nil {
		return nil, fmt.Errorf("malformed bitmap: %w", err)
	}
	return b, nil
}

// Place is where a vector lies in its file: the offset of its length, and the
// size that descriptors tell.
type Place struct{ Offset, Size int }

// Encode writes vectors to a file's content and tells where each lies.
func Encode(vectors []*Bitmap) ([]byte, []Place, error) {
	out := []byte{version}
	places := make([]Place, len(vectors))
	for i, v := range vectors {
		v.RunOptimize()
		raw, err := v.ToBytes()
		if err != nil {
			return nil, nil, fmt.Errorf("deletion vector: %w", err)
		}
		places[i] = Place{Offset: len(out), Size: 4 + len(raw)}
		out = binary.BigEndian.AppendUint32(out, uint32(places[i].Size))
		body := len(out)
		out = binary.LittleEndian.AppendUint32(out, magic)
		out = append(out, raw...)
		out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[body:]))
		if len(out) > MaxBytes {
			return nil, nil, fmt.Errorf("deletion vector: vectors of more than %d bytes", MaxBytes)
		}
	}
	return out, places, nil
}

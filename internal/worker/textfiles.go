package worker

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Text says how a FileSource cuts files of text into rows of one STRING column.
// Bytes that are no UTF-8 become U+FFFD.
type Text struct {
	// Whole makes each file one row; else each line is one, but for empty lines
	// where Empty is not set.
	Whole bool `json:"whole,omitempty"`
	Empty bool `json:"empty,omitempty"`
	// Header leaves the first line of each file out.
	Header bool `json:"header,omitempty"`
	// Quote, if not 0, has line ends between two of them belong to the line;
	// what follows Escape does not count.
	Quote  byte `json:"quote,omitempty"`
	Escape byte `json:"escape,omitempty"`
}

// maxRecord bounds a row of text in bytes.
const maxRecord = 256 << 20

// batchRecords and batchText bound a batch of rows.
const (
	batchRecords = 2048
	batchText    = 4 << 20
)

// Lines calls f for each row of a file; the bytes are valid during the call. A
// file whose name ends in .gz is decompressed.
func (t Text) Lines(ctx context.Context, path string, f func(line []byte) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read
	var plain io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(bufio.NewReaderSize(file, 256<<10))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		plain = z
	}
	in := bufio.NewReaderSize(plain, 256<<10)
	if mark, err := in.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		_, _ = in.Discard(3) // it was peeked
	}
	var rec []byte
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		rec, err = t.next(in, rec[:0])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if n == 0 && t.Header || !t.Empty && !t.Whole && len(bytes.TrimSpace(rec)) == 0 {
			continue
		}
		if err := f(rec); err != nil {
			return err
		}
	}
}

// next appends the next row to rec, io.EOF after the last.
func (t Text) next(in *bufio.Reader, rec []byte) ([]byte, error) {
	quoted, seen := false, false
	for {
		part, err := in.ReadSlice('\n')
		seen = seen || len(part) > 0
		from := len(rec)
		rec = append(rec, part...)
		switch {
		case len(rec) > maxRecord:
			return rec, fmt.Errorf("a record of more than %d MiB", maxRecord>>20)
		case errors.Is(err, bufio.ErrBufferFull):
			quoted = t.within(rec[from:], quoted)
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return rec, err
		case errors.Is(err, io.EOF):
			if !seen {
				return rec, io.EOF
			}
			return bytes.TrimSuffix(rec, []byte("\r")), nil
		}
		if quoted = t.within(rec[from:], quoted); quoted || t.Whole {
			continue
		}
		return bytes.TrimSuffix(rec[:len(rec)-1], []byte("\r")), nil
	}
}

// within tells whether a quotation is open behind part.
func (t Text) within(part []byte, open bool) bool {
	if t.Quote == 0 {
		return false
	}
	for i := 0; i < len(part); i++ {
		switch {
		case open && t.Escape != 0 && part[i] == t.Escape && t.Escape != t.Quote:
			i++
		case part[i] == t.Quote:
			open = !open
		}
	}
	return open
}

// read calls f for the batches of a file: the rows in a column of the schema,
// or their number only where it has none.
func (t Text) read(ctx context.Context, path string, schema *arrow.Schema, f func(arrow.RecordBatch) error) error {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	size := 0
	flush := func() error {
		if b.Len() == 0 {
			return nil
		}
		col := b.NewArray()
		defer col.Release()
		rows := int64(col.Len())
		cols := []arrow.Array{col}[:schema.NumFields()]
		rec := array.NewRecordBatch(schema, cols, rows)
		defer rec.Release()
		size = 0
		return f(rec)
	}
	err := t.Lines(ctx, path, func(line []byte) error {
		if !utf8.Valid(line) {
			line = bytes.ToValidUTF8(line, []byte("\ufffd"))
		}
		b.BinaryBuilder.Append(line)
		if size += len(line); b.Len() < batchRecords && size < batchText {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

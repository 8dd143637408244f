package delta

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// batchFile is a file of batches that wait on disk, as an Arrow IPC stream: it is
// written, ended and then read. It is made with the first batch.
type batchFile struct {
	file *os.File
	w    *ipc.Writer
}

// empty tells that nothing was written.
func (b *batchFile) empty() bool { return b.w == nil }

// write appends a batch, which stays the caller's, to the file in dir. All
// batches have one schema.
func (b *batchFile) write(dir string, rec arrow.RecordBatch) (err error) {
	if b.w == nil {
		if b.file, err = os.CreateTemp(dir, "rows-"); err != nil {
			return fmt.Errorf("delta: rows that wait: %w", err)
		}
		b.w = ipc.NewWriter(b.file, ipc.WithSchema(rec.Schema()), ipc.WithLZ4())
	}
	if err := b.w.Write(rec); err != nil {
		return fmt.Errorf("delta: rows that wait: %w", err)
	}
	return nil
}

// end ends the writing, of which nothing may be left after an error.
func (b *batchFile) end() error {
	if b.w == nil {
		return nil
	}
	if err := errors.Join(b.w.Close(), b.file.Close()); err != nil {
		return fmt.Errorf("delta: rows that wait: %w", err)
	}
	return nil
}

// read gives the batches; they are valid during the call.
func (b *batchFile) read(f func(arrow.RecordBatch) error) error {
	in, err := os.Open(b.file.Name())
	if err != nil {
		return fmt.Errorf("delta: rows that wait: %w", err)
	}
	defer func() { _ = in.Close() }() // only read
	r, err := ipc.NewReader(in)
	if err != nil {
		return fmt.Errorf("delta: rows that wait: %w", err)
	}
	defer r.Release()
	for {
		rec, err := r.Read()
		if err == io.EOF { //nolint:errorlint // as Read says
			return nil
		}
		if err != nil {
			return fmt.Errorf("delta: rows that wait: %w", err)
		}
		if err := f(rec); err != nil {
			return err
		}
	}
}

// remove gives the file up, written or not.
func (b *batchFile) remove() {
	if b.file != nil {
		_ = b.file.Close() // closed already where it was ended
		_ = os.Remove(b.file.Name())
	}
}

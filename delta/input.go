package delta

import (
	"context"
	"errors"
	"io"

	"github.com/marisma/marisma/objstore"
)

// input reads an object at places, for as long as the call that made it runs.
type input struct {
	io.Seeker
	read func(p []byte, off int64) (int, error)
}

func newInput(ctx context.Context, s objstore.Store, key string, size int64) *input {
	return &input{
		Seeker: io.NewSectionReader(nil, 0, size),
		read: func(p []byte, off int64) (int, error) {
			if off >= size {
				return 0, io.EOF
			}
			n := min(int64(len(p)), size-off)
			r, _, err := s.Get(ctx, key, off, n)
			if err != nil {
				return 0, err
			}
			defer func() { _ = r.Close() }()
			got, err := io.ReadFull(r, p[:n])
			if errors.Is(err, io.ErrUnexpectedEOF) || err == nil && got < len(p) {
				err = io.EOF
			}
			return got, err
		},
	}
}

// ReadAt implements io.ReaderAt.
func (i *input) ReadAt(p []byte, off int64) (int, error) { return i.read(p, off) }

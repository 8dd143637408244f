package delta

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta/internal/parquetfile"
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

// smallFile is the size in bytes up to which a data file is read in one piece:
// a request costs more than the columns that are not wanted.
const smallFile = 1 << 20

// Bounds of what is read of a column at once: on disk, where reading costs
// little, and where each time is a request.
const (
	localPiece  = 512 << 10
	remotePiece = 8 << 20
)

func pieceOf(s objstore.Store) int64 {
	if _, local := s.(objstore.Pather); local {
		return localPiece
	}
	return remotePiece
}

// fileSchema is the schema in a file's footer.
func fileSchema(ctx context.Context, s objstore.Store, key string, size int64) (*arrow.Schema, error) {
	in, err := openFile(ctx, s, key, size)
	if err != nil {
		return nil, err
	}
	return parquetfile.Schema(in)
}

// openFile makes the file behind key readable; size is what the log says of it.
func openFile(ctx context.Context, s objstore.Store, key string, size int64) (parquetfile.Input, error) {
	if size <= 0 || size > smallFile {
		info, err := s.Head(ctx, key)
		if err != nil {
			return nil, err
		}
		return newInput(ctx, s, key, info.Size), nil
	}
	r, info, err := s.Get(ctx, key, 0, -1)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	if info.Size > smallFile { // the log is wrong
		return newInput(ctx, s, key, info.Size), nil
	}
	data := make([]byte, info.Size)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, err
	}
	return bytes.NewReader(data), nil
}

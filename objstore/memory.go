package objstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// memory keeps objects in a map, with their keys in order beside it.
type memory struct {
	mu      sync.RWMutex
	objects map[string]object
	keys    []string
	puts    int64
}

type object struct {
	info Info
	data []byte // never changed once put
}

// Memory keeps objects in memory; nothing outlives the process.
func Memory() Store { return &memory{objects: map[string]object{}} }

func (m *memory) get(ctx context.Context, key string) (object, error) {
	if err := errors.Join(ctx.Err(), CheckKey(key)); err != nil {
		return object{}, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	o, ok := m.objects[key]
	if !ok {
		return object{}, fmt.Errorf("%w: %s", ErrNotFound, key)
	}
	return o, nil
}

func (m *memory) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, Info, error) {
	o, err := m.get(ctx, key)
	if err != nil {
		return nil, Info{}, err
	}
	start, n, err := Span(key, offset, length, o.info.Size)
	if err != nil {
		return nil, Info{}, err
	}
	return io.NopCloser(bytes.NewReader(o.data[start : start+n])), o.info, nil
}

func (m *memory) Head(ctx context.Context, key string) (Info, error) {
	o, err := m.get(ctx, key)
	return o.info, err
}

func (m *memory) Put(ctx context.Context, key string, r io.Reader, opt PutOptions) (Info, error) {
	if err := errors.Join(ctx.Err(), CheckKey(key)); err != nil {
		return Info{}, err
	}
	data, err := io.ReadAll(ctxReader{ctx, r})
	if err != nil {
		return Info{}, fmt.Errorf("objstore: %s: %w", key, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, taken := m.objects[key]
	if taken && opt.IfAbsent {
		return Info{}, fmt.Errorf("%w: %s", ErrExists, key)
	}
	if !taken {
		at, _ := slices.BinarySearch(m.keys, key)
		m.keys = slices.Insert(m.keys, at, key)
	}
	m.puts++
	info := Info{Key: key, Size: int64(len(data)), ModTime: time.Now(), ETag: strconv.FormatInt(m.puts, 10)}
	m.objects[key] = object{info, data}
	return info, nil
}

func (m *memory) List(ctx context.Context, prefix, after string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		for last := after; ; {
			info, ok := m.next(prefix, last)
			if !ok {
				return
			}
			if err := ctx.Err(); err != nil {
				yield(Info{}, err)
				return
			}
			if !yield(info, nil) {
				return
			}
			last = info.Key
		}
	}
}

// next is the first object with the prefix after a key.
func (m *memory) next(prefix, after string) (Info, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	from := max(prefix, after)
	at, found := slices.BinarySearch(m.keys, from)
	if found && from == after {
		at++
	}
	if at == len(m.keys) || !strings.HasPrefix(m.keys[at], prefix) {
		return Info{}, false
	}
	return m.objects[m.keys[at]].info, true
}

func (m *memory) Delete(ctx context.Context, key string) error {
	if err := errors.Join(ctx.Err(), CheckKey(key)); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, ok := slices.BinarySearch(m.keys, key); ok {
		m.keys = slices.Delete(m.keys, at, at+1)
		delete(m.objects, key)
	}
	return nil
}

package delta

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/checkpoint"
	"github.com/marisma/marisma/delta/internal/logfile"
)

// policyKey is the property that asks for checkpoints of the second kind.
const policyKey = "delta.checkpointPolicy"

// sidecarActions bounds the file actions of one sidecar.
const sidecarActions = 250_000

// sidecarAge is how old a sidecar must be before it is deleted when no
// checkpoint names it: its checkpoint may be on its way.
const sidecarAge = 24 * time.Hour

// putSecondKind writes a checkpoint of a manifest and its sidecars, these
// first: without the manifest nobody looks at them.
func (t *Table) putSecondKind(ctx context.Context, s *Snapshot, base []logfile.File) (checkpoint.Pointer, error) {
	p := checkpoint.Pointer{Version: s.version}
	sw := &sidecars{table: t, protocol: s.protocol, ctx: ctx}
	err := t.writeFiles(ctx, s, base,
		func(r *Remove) error { return sw.write(func(w *checkpoint.Writer) error { return w.Remove(r) }) },
		func(a *Add) error { return sw.write(func(w *checkpoint.Writer) error { return w.Add(a) }) })
	if err = errors.Join(err, sw.end(err)); err != nil {
		return p, err
	}
	info, err := t.stream(ctx, t.logKey(logfile.V2Name(s.version, uuid.NewString())), func(out io.Writer) error {
		w, err := checkpoint.NewWriter(out, s.protocol, checkpoint.Manifest)
		if err != nil {
			return err
		}
		if err = w.Version(s.version); err == nil {
			err = t.writeDefinition(w, s)
		}
		for i := range sw.done {
			if err == nil {
				err = w.Sidecar(&sw.done[i])
			}
		}
		rows, _, cerr := w.Close()
		p.Size = rows + sw.rows
		return errors.Join(err, cerr)
	})
	p.SizeInBytes, p.NumOfAddFiles = info.Size+sw.bytes, sw.adds
	return p, err
}

// sidecars writes file actions into as many sidecars as they need.
type sidecars struct {
	table    *Table
	protocol *Protocol
	ctx      context.Context //nolint:containedctx // lives as long as the call that made it

	w    *checkpoint.Writer
	pipe *io.PipeWriter
	n    int
	name string
	put  chan error
	last action.Sidecar

	done              []action.Sidecar
	rows, adds, bytes int64
}

func (s *sidecars) write(f func(*checkpoint.Writer) error) error {
	if s.w == nil {
		if err := s.begin(); err != nil {
			return err
		}
	}
	if err := f(s.w); err != nil {
		return err
	}
	if s.n++; s.n >= sidecarActions {
		return s.end(nil)
	}
	return nil
}

func (s *sidecars) begin() error {
	r, pw := io.Pipe()
	s.pipe, s.n, s.name, s.put = pw, 0, uuid.NewString()+".parquet", make(chan error, 1)
	key := s.table.logKey(logfile.Sidecars + "/" + s.name)
	go func() {
		info, err := s.table.stream(s.ctx, key, func(out io.Writer) error {
			_, err := io.Copy(out, r)
			return err
		})
		_ = r.CloseWithError(err)
		s.last = action.Sidecar{Path: s.name, SizeInBytes: info.Size, ModificationTime: info.ModTime.UnixMilli()}
		s.put <- err
	}()
	var err error
	s.w, err = checkpoint.NewWriter(pw, s.protocol, checkpoint.Sidecar)
	return err
}

// end ends the sidecar under way; with a cause it is given up.
func (s *sidecars) end(cause error) error {
	if s.put == nil {
		return nil
	}
	err := cause
	if s.w != nil {
		rows, adds, cerr := s.w.Close()
		s.rows, s.adds = s.rows+rows, s.adds+adds
		if err == nil {
			err = cerr
		}
	}
	_ = s.pipe.CloseWithError(err)
	perr := <-s.put
	s.w, s.put = nil, nil
	switch {
	case cause != nil:
		return nil // the caller has it
	case perr != nil:
		return perr
	case err != nil:
		return err
	}
	s.done = append(s.done, s.last)
	s.bytes += s.last.SizeInBytes
	return nil
}

// cleanSidecars deletes sidecars that no checkpoint names and tells how many.
func (t *Table) cleanSidecars(ctx context.Context) (int, error) {
	prefix := t.logKey(logfile.Sidecars + "/")
	cutoff := t.opt.clock().Add(-sidecarAge)
	var old []string
	for o, err := range t.store.List(ctx, prefix, "") {
		if err != nil {
			return 0, err
		}
		if o.ModTime.Before(cutoff) && strings.HasSuffix(o.Key, ".parquet") {
			old = append(old, o.Key)
		}
	}
	if len(old) == 0 {
		return 0, nil
	}
	named := map[string]bool{}
	l, err := t.listFrom(ctx, 0)
	if err != nil {
		return 0, err
	}
	for _, parts := range l.Checkpoints {
		found, err := t.visitTop(ctx, parts, checkpoint.Visitor{})
		if err != nil {
			return 0, fmt.Errorf("delta: clean-up of sidecars: %w", err)
		}
		for _, s := range found {
			named[t.sidecar(s.Path)] = true
		}
	}
	n := 0
	for _, key := range old {
		if named[key] {
			continue
		}
		if err := t.store.Delete(ctx, key); err != nil {
			return n, fmt.Errorf("delta: clean-up of sidecars: %w", err)
		}
		n++
	}
	return n, nil
}

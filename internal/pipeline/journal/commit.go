package journal

import (
	"errors"
	"fmt"
	"io/fs"
)

// append makes a record durable and adds it to the state. Who finds no round
// under way leads one; who comes during a round waits, and the leader takes
// along all that waits.
func (j *Journal) append(k kind, rec any) error {
	data, err := frame(k, rec)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return j.err
	}
	if err := j.st.check(rec); err != nil {
		return err
	}
	out := &outcome{}
	j.pending = append(j.pending, entry{rec, data, out})
	for !out.over {
		if j.leading {
			j.synced.Wait()
			continue
		}
		j.round()
	}
	return out.err
}

// round writes and syncs all that is pending. It is called with the lock held
// and gives it up while the disk works.
func (j *Journal) round() {
	batch := j.pending
	j.pending = nil
	j.leading = true
	j.mu.Unlock()
	err := j.write(batch)
	j.mu.Lock()
	if err != nil && j.err == nil {
		j.err = fmt.Errorf("%w: %w", ErrFailed, err)
	}
	for _, e := range batch {
		if err == nil {
			j.st.apply(e.rec)
		}
		e.done.over, e.done.err = true, j.err
	}
	if err == nil {
		j.compact()
	}
	if j.err != nil {
		// Nothing that still waits can be written.
		for _, e := range j.pending {
			e.done.over, e.done.err = true, j.err
		}
		j.pending = nil
	}
	j.leading = false
	j.synced.Broadcast()
}

func (j *Journal) write(batch []entry) error {
	j.buf = j.buf[:0]
	for _, e := range batch {
		j.buf = append(j.buf, e.frame...)
	}
	if _, err := j.file.WriteAt(j.buf, j.size); err != nil {
		return err
	}
	if err := j.file.Sync(); err != nil {
		return err
	}
	j.size += int64(len(j.buf))
	if cap(j.buf) > 1<<20 {
		j.buf = nil
	}
	return nil
}

// compact replaces the file once it has grown well past its checkpoint. The
// lock is held: no record may come between the checkpoint and the switch.
func (j *Journal) compact() {
	if j.size < j.cfg.CompactBytes || j.size < 4*j.base {
		return
	}
	if err := j.rewrite(); err != nil {
		j.err = fmt.Errorf("%w: compaction: %w", ErrFailed, err)
	}
}

// rewrite makes the next file, which begins with a checkpoint of the state,
// and removes the one before. The new file gets its name only when it is
// whole and durable, so the file with the highest number always counts.
func (j *Journal) rewrite() error {
	seq := j.seq + 1
	name, temp := j.name(seq), j.name(seq)+".tmp"
	rec, err := frame(kindCheckpoint, &j.st)
	if err != nil {
		return err
	}
	f, err := j.cfg.FS.Create(temp)
	if err != nil {
		return err
	}
	head := append(append([]byte(magic), version), rec...)
	if _, err = f.WriteAt(head, 0); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = j.cfg.FS.Rename(temp, name)
	}
	if err == nil {
		err = j.cfg.FS.SyncDir(j.cfg.Dir)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	old, oldSeq := j.file, j.seq
	j.file, j.seq = f, seq
	j.size, j.base = int64(len(head)), int64(len(head))
	if old == nil {
		return nil
	}
	err = old.Close()
	if rerr := j.cfg.FS.Remove(j.name(oldSeq)); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
		err = errors.Join(err, rerr)
	}
	return err
}

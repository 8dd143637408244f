package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/marisma/marisma/internal/query/corpus/gen"
)

// maxAnswer bounds a line of answers.
const maxAnswer = 256 << 20

// spark is a process that answers lists of statements.
type spark struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// start runs interop/spark_record over the tables of the folder setup.
func start(ctx context.Context, python, setup string) (*spark, error) {
	for _, p := range []*string{&python, &setup} {
		abs, err := filepath.Abs(*p)
		if err != nil {
			return nil, err
		}
		*p = abs
	}
	s := &spark{cmd: exec.CommandContext(ctx, python, "-m", "spark_record", "--serve", setup)}
	s.cmd.Dir, s.cmd.Stderr = "interop", os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.out = bufio.NewScanner(out)
	s.out.Buffer(nil, maxAnswer)
	if line, err := s.line(); err != nil || string(line) != "ready" {
		return nil, fmt.Errorf("spark did not start: %q, %w", line, err)
	}
	return s, nil
}

func (s *spark) line() ([]byte, error) {
	if s.out.Scan() {
		return s.out.Bytes(), nil
	}
	return nil, errors.Join(s.out.Err(), io.ErrUnexpectedEOF)
}

// ask gives the answers to the statements, in their order.
func (s *spark) ask(list []gen.Statement) ([]json.RawMessage, error) {
	b, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	if _, err := s.in.Write(append(b, '\n')); err != nil {
		return nil, err
	}
	line, err := s.line()
	if err != nil {
		return nil, err
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(line, &raw); err != nil {
		return nil, err
	}
	if len(raw) != len(list) {
		return nil, fmt.Errorf("%d answers to %d statements", len(raw), len(list))
	}
	return raw, nil
}

// stop ends the process.
func (s *spark) stop() error {
	return errors.Join(s.in.Close(), s.cmd.Wait())
}

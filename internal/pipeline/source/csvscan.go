package source

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// errLineTooLong: one record is larger than a reader keeps.
var errLineTooLong = errors.New("source: a CSV record is longer than 16 MiB")

const maxCSVRecord = 16 << 20

// field is one value of a CSV record. Quoted values are cut out of their
// quotes; raw ones are as written.
type field struct {
	text   []byte
	quoted bool
}

// scanner cuts CSV records as Spark's parser does: a quote inside a quoted
// value is written with the escape character, and a quoted value that goes on
// behind its closing quote is taken raw, quotes and all, up to the next
// delimiter.
type scanner struct {
	r         *bufio.Reader
	delim     byte
	quote     byte // 0: none
	escape    byte
	comment   byte // 0: none
	multiLine bool

	line   []byte
	fields []field
	buf    []byte // unescaped values of the current record
}

// next reads a record; its memory is valid until the next call. Blank lines
// and comments are passed over. io.EOF is the end.
func (s *scanner) next() ([]field, error) {
	for {
		line, err := s.readLine(nil)
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(line)) == 0 || s.comment != 0 && line[0] == s.comment {
			continue
		}
		for s.multiLine && s.open(line) {
			more, err := s.readLine(append(line, '\n'))
			if err != nil {
				if errors.Is(err, io.EOF) {
					break
				}
				return nil, err
			}
			line = more
		}
		s.line = line
		s.split(line)
		return s.fields, nil
	}
}

// readLine appends the next line, without its end, to head.
func (s *scanner) readLine(head []byte) ([]byte, error) {
	line := head
	if head == nil {
		line = s.line[:0]
	}
	got := false
	for {
		part, err := s.r.ReadSlice('\n')
		got = got || len(part) > 0
		line = append(line, part...)
		if len(line) > maxCSVRecord {
			return nil, errLineTooLong
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == nil, errors.Is(err, io.EOF) && got:
			line = bytes.TrimSuffix(line, []byte{'\n'})
			return bytes.TrimSuffix(line, []byte{'\r'}), nil
		}
		return nil, err
	}
}

// open tells whether line ends inside a quoted value.
func (s *scanner) open(line []byte) bool {
	s.split(line)
	return s.unclosed()
}

func (s *scanner) unclosed() bool {
	return len(s.fields) > 0 && s.fields[len(s.fields)-1].text == nil
}

// split cuts a record into fields. A last value whose quote never closes has
// the text nil while records may span lines, and is taken raw else.
func (s *scanner) split(line []byte) {
	s.fields, s.buf = s.fields[:0], s.buf[:0]
	if cap(s.buf) < len(line) {
		// The values keep pointing into buf: it must not move while it fills.
		s.buf = make([]byte, 0, 2*len(line))
	}
	at := 0
	for {
		var f field
		f, at = s.value(line, at)
		s.fields = append(s.fields, f)
		if at >= len(line) {
			return
		}
		at++ // the delimiter
		if at == len(line) {
			s.fields = append(s.fields, field{text: line[at:]})
			return
		}
	}
}

// value reads the field that begins at at; the second result is the place of
// the delimiter behind it or the line's end.
func (s *scanner) value(line []byte, at int) (field, int) {
	if s.quote != 0 && at < len(line) && line[at] == s.quote {
		start := len(s.buf)
		for i := at + 1; i < len(line); i++ {
			c := line[i]
			if c == s.escape && i+1 < len(line) && (line[i+1] == s.quote || line[i+1] == s.escape && s.escape != s.quote) {
				i++
				s.buf = append(s.buf, line[i])
				continue
			}
			if c != s.quote {
				s.buf = append(s.buf, c)
				continue
			}
			if i+1 == len(line) || line[i+1] == s.delim {
				return field{s.buf[start:len(s.buf):len(s.buf)], true}, i + 1
			}
			return s.raw(line, at)
		}
		if s.multiLine {
			return field{nil, true}, len(line)
		}
	}
	return s.raw(line, at)
}

func (s *scanner) raw(line []byte, at int) (field, int) {
	end := bytes.IndexByte(line[at:], s.delim)
	if end < 0 {
		return field{text: line[at:]}, len(line)
	}
	return field{text: line[at : at+end]}, at + end
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// printJSON writes v indented.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// table prints rows under a header; right marks columns that align right.
type table struct {
	head  []string
	right []bool
	whole bool // the last column is not clipped
	rows  [][]string
}

// maxCell bounds the width of a printed cell in code points.
const maxCell = 60

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) print(w io.Writer) error {
	width := make([]int, len(t.head))
	for i, h := range t.head {
		width[i] = utf8.RuneCountInString(h)
	}
	for _, r := range t.rows {
		for i, c := range r {
			limit := maxCell
			if t.whole && i == len(r)-1 {
				limit = math.MaxInt
			}
			r[i] = clip(c, limit)
			width[i] = max(width[i], utf8.RuneCountInString(r[i]))
		}
	}
	var b strings.Builder
	t.line(&b, t.head, width)
	for i, n := range width {
		if i > 0 {
			b.WriteString("  ")
		}
		b.WriteString(strings.Repeat("─", min(n, maxCell)))
	}
	b.WriteByte('\n')
	for _, r := range t.rows {
		t.line(&b, r, width)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *table) line(b *strings.Builder, cells []string, width []int) {
	for i, c := range cells {
		if i > 0 {
			b.WriteString("  ")
		}
		pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(c))
		if i < len(t.right) && t.right[i] {
			b.WriteString(pad + c)
		} else if i == len(cells)-1 {
			b.WriteString(c)
		} else {
			b.WriteString(c + pad)
		}
	}
	b.WriteByte('\n')
}

// clip keeps a cell on one line and within limit code points.
func clip(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit-1]) + "…"
}

// count prints n with thin groups: 1 234 567.
func count(n int64) string {
	s := fmt.Sprint(n)
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	var b strings.Builder
	for i, r := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	if neg {
		return "-" + b.String()
	}
	return b.String()
}

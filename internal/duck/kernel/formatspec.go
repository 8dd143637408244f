package kernel

import (
	"strings"
)

// spec is %[index$][flags][width][.precision]conversion of Java's Formatter.
type spec struct {
	flags       string
	again       bool // %<: the argument of the one before
	time        bool // %t: conv is a part of a time
	upper       bool
	index       int
	width, prec int // -1: none
	conv        byte
}

const specFlags = "-#+ 0,("

// parseSpec reads what stands behind a %; n is its length. False for what Java
// refuses whatever the argument is.
func parseSpec(s string) (sp spec, n int, ok bool) {
	sp.prec, sp.width = -1, -1
	digits := func() (v, from int) {
		from = n
		for n < len(s) && s[n]-'0' < 10 && v < 1<<20 {
			v = v*10 + int(s[n]-'0')
			n++
		}
		return v, from
	}
	if v, _ := digits(); n > 0 && n < len(s) && s[n] == '$' {
		if sp.index = v; v == 0 {
			return sp, n, false
		}
		n++
	} else {
		n = 0
	}
	from := n
	for n < len(s) && strings.IndexByte(specFlags+"<", s[n]) >= 0 {
		if strings.IndexByte(s[from:n], s[n]) >= 0 {
			return sp, n, false // twice
		}
		n++
	}
	sp.flags = strings.ReplaceAll(s[from:n], "<", "")
	sp.again = len(sp.flags) < n-from
	if v, at := digits(); n > at {
		sp.width = v
	}
	if n < len(s) && s[n] == '.' {
		n++
		v, at := digits()
		if at == n {
			return sp, n, false
		}
		sp.prec = v
	}
	if n < len(s)-1 && (s[n] == 't' || s[n] == 'T') {
		sp.time, sp.upper = true, s[n] == 'T'
		n++
	}
	if n >= len(s) || sp.width > 1<<16 || sp.prec > 1<<16 {
		return sp, n, false
	}
	sp.conv = s[n]
	return sp, n + 1, sp.check()
}

func (s *spec) has(c byte) bool { return strings.IndexByte(s.flags, c) >= 0 }

func (s *spec) any(flags string) bool { return strings.ContainsAny(s.flags, flags) }

// check applies the rules of Java about which flags go with which conversion.
func (s *spec) check() bool {
	if s.time {
		return s.prec < 0 && strings.IndexByte(timeParts, s.conv) >= 0 && !s.any("#+ 0,(") && !s.unwide()
	}
	if strings.IndexByte("BHSCXEGA", s.conv) >= 0 {
		s.upper, s.conv = true, s.conv|0x20
	}
	switch s.conv {
	case '%':
		return s.prec < 0 && (s.flags == "" || s.flags == "-") && !s.unwide()
	case 'n':
		return s.prec < 0 && s.width < 0 && s.flags == ""
	case 'b', 'h', 's':
		return !s.any("#+ 0,(") && !s.unwide()
	case 'c':
		return s.prec < 0 && !s.any("#+ 0,(") && !s.unwide()
	case 'd', 'x', 'o':
		return s.prec < 0 && s.numeric() && !s.any(map[bool]string{true: "#", false: ","}[s.conv == 'd'])
	case 'e', 'f', 'g', 'a':
		return s.numeric() && !s.any(map[byte]string{'e': ",", 'g': "#", 'a': "(,"}[s.conv])
	}
	return false
}

// unwide tells whether the flag that fills to a width has none.
func (s *spec) unwide() bool { return s.has('-') && s.width < 0 }

func (s *spec) numeric() bool {
	return (s.width >= 0 || !s.any("-0")) && (!s.has('+') || !s.has(' ')) && (!s.has('-') || !s.has('0'))
}

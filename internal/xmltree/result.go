package xmltree

import (
	"math"
	"strconv"
	"strings"
)

// String is XPath's string(): the text of the first node.
func (r *Result) String() string {
	switch v := r.Value.(type) {
	case bool:
		return strconv.FormatBool(v)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return strconv.FormatInt(int64(v), 10)
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		return v
	}
	if len(r.Nodes) > 0 {
		return r.Nodes[0].Text
	}
	return ""
}

// Number is XPath's number(): no exponents, NaN for what is no number.
func (r *Result) Number() float64 {
	switch v := r.Value.(type) {
	case bool:
		if v {
			return 1
		}
		return 0
	case float64:
		return v
	}
	s := strings.TrimSpace(r.String())
	if strings.Trim(s, "0123456789.-") != "" {
		return math.NaN()
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return f
}

// Bool is XPath's boolean().
func (r *Result) Bool() bool {
	switch v := r.Value.(type) {
	case bool:
		return v
	case float64:
		return v != 0 && v == v
	case string:
		return v != ""
	}
	return len(r.Nodes) > 0
}

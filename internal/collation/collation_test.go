package collation

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

func mustParse(t testing.TB, name string) *Keys {
	t.Helper()
	c, err := Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	return NewKeys(c)
}

func TestEqualityAsSpark(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		want       bool
	}{
		{"UNICODE", "é", "e\u0301", true}, {"UTF8_LCASE", "é", "É", true}, {"UTF8_LCASE", "İ", "i\u0307", true}, {"UTF8_LCASE", "Σ", "ς", true},
		{"UTF8_LCASE", "ß", "SS", false}, {"UNICODE_CI", "ß", "ss", false}, {"UNICODE_CI", "ß", "ẞ", true}, {"tr_CI", "i", "İ", true}, {"tr_CI", "I", "ı", true},
		{"de_AI", "ä", "a", true}, {"UNICODE_AI", "æ", "ae", true}, {"UNICODE_AI", "ø", "o", true}, {"UNICODE_AI", "å", "a", true}, {"UNICODE_AI", "A", "a", false},
		{"UNICODE_CI_AI", "é", "E", true}, {"UTF8_BINARY", "a", "A", false}, {"UNICODE_CI_RTRIM", "a  ", "A", true}, {"UTF8_LCASE_RTRIM", "a\t", "A", false},
		{"UTF8_LCASE_RTRIM", " a", "a", false}, {"UNICODE", "a b", "ab", false}, {"UTF8_BINARY_RTRIM", "", "  ", true}, {"DE_CI", "a", "A", true},
	} {
		if got := mustParse(t, c.name).Equal([]byte(c.a), []byte(c.b)); got != c.want {
			t.Errorf("%s: %q = %q is %v", c.name, c.a, c.b, got)
		}
	}
}

func TestOrderAsSpark(t *testing.T) {
	for name, want := range map[string]string{
		"UNICODE": "_ 😀 1 10 2 a A á a-b ab æ n ñ o ss ß Z あ 中",
		"es":      "ch cz d n nz ñ o", "sv": "a o z å ä ö", "UTF8_LCASE": "A b C",
	} {
		k := mustParse(t, name)
		got := strings.Fields(want)
		slices.Reverse(got)
		slices.SortStableFunc(got, func(a, b string) int { return bytes.Compare(k.Append(nil, []byte(a)), k.Append(nil, []byte(b))) })
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %s, want %s", name, s, want)
		}
	}
}

func TestNames(t *testing.T) {
	if n := len(All()); n != 1164 {
		t.Errorf("%d collations", n)
	}
	for in, want := range map[string]string{"utf8_lcase": "UTF8_LCASE", "UNICODE_RTRIM_CI": "UNICODE_CI_RTRIM", "de_ci": "de_CI", "SR_CYRL_SRB_CI_AI": "sr_Cyrl_SRB_CI_AI",
		"unicode_cs_as": "UNICODE", "en_USA": "en_USA", "fr_CAN_CI": "fr_CAN_CI"} {
		if c, err := Parse(in); err != nil || c.Name != want {
			t.Errorf("%s: %v %v", in, c, err)
		}
	}
	for _, s := range []string{"foo", "unicode_c", "x", "de_DE", "", "UTF8_LCASE_AI", "UNICODE_CI_CI", "UNICODE_CI_CS", "_CI"} {
		if c, err := Parse(s); !errors.Is(err, ErrName) {
			t.Errorf("%s: %v %v", s, c, err)
		}
	}
}

func TestSearch(t *testing.T) {
	for _, c := range []struct {
		name, text, pattern string
		from, to            int
	}{
		{"UTF8_LCASE", "xAbc", "aB", 1, 3}, {"UNICODE_CI", "xAbc", "ab", 1, 3}, {"UNICODE_CI_AI", "caFÉ!", "fe", 2, 5}, {"UTF8_BINARY", "aAb", "A", 1, 2},
		{"UNICODE_CI", "abc", "", 0, 0}, {"UNICODE", "e\u0301a", "e", -1, 0}, {"UTF8_LCASE", "abc", "z", -1, 0}, {"UTF8_LCASE", "x\u0130y", "i\u0307", 1, 3},
	} {
		m, ok := mustParse(t, c.name).Find([]byte(c.text), []byte(c.pattern), 0)
		if ok != (c.from >= 0) || ok && (m.From != c.from || m.To != c.to) {
			t.Errorf("%s: %q in %q: %v %v", c.name, c.pattern, c.text, m, ok)
		}
	}
}

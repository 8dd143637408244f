package cast

import "testing"

func TestReplaceInvalidAsTheJVM(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                     "plain",
		"\xff\xfe":                  "\ufffd\ufffd",
		"a\xe2\x82b":                "a\ufffdb",
		"\xe2\x82\xe2\x82\xac":      "\ufffd\u20ac",
		"\xf0\x9f\x98":              "\ufffd",
		"\xf0\x9f\x98\x80\xf0":      "\U0001F600\ufffd",
		"\xc0\x80x":                 "\ufffd\ufffdx",
		"\xed\xa0\x80":              "\ufffd",
		"\xf4\x90\x80\x80":          "\ufffd\ufffd\ufffd\ufffd",
		"\xf5\x80":                  "\ufffd\ufffd",
		"\xe0\x80\x80":              "\ufffd\ufffd\ufffd",
		"caf\xe9":                   "caf\ufffd",
		"\ufffd is itself\x80":      "\ufffd is itself\ufffd",
		"\xdf":                      "\ufffd",
		"\xc2\xa0\xc2":              "\u00a0\ufffd",
		"\xf0\x90\x80z\xe1\x80\xe1": "\ufffdz\ufffd\ufffd",
	} {
		if got := string(AppendUTF8(nil, []byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestMakeValidAsSpark(t *testing.T) {
	for in, want := range map[string]string{
		"a\xffb": "a\ufffdb", "\xf0\x9f\x98": "\ufffd", "\xc3(": "\ufffd(", "\xe2\x82": "\ufffd",
		"\xed\xa0\x80": "\ufffd\ufffd\ufffd", "\xc0\x80": "\ufffd\ufffd", "\xf8\x80\x80": "\ufffd\ufffd\ufffd", "abc": "abc", "\xe2\x82a": "\ufffda",
	} {
		if got := string(AppendValidUTF8(nil, []byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

package kernel_test

import (
	"strings"
	"testing"

	"github.com/marisma/marisma/internal/duck/kernel"
)

// check runs expr for a table t(v) of the given values.
func check(t *testing.T, k kernel.Spec, values, expr string, want ...string) {
	t.Helper()
	c := open(t)
	if err := c.Register(k); err != nil {
		t.Fatal(err)
	}
	r := column(t, c, texts(t, []any{"x"}), "SELECT string_agg(coalesce(r, 'NULL'), chr(10) ORDER BY n) FROM (SELECT n, "+expr+" AS r FROM (VALUES "+values+") t(n, v))")
	if got := strings.Split(r[0], "\n"); strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("%s: got\n%s, want\n%s", expr, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A field of a struct may be a constant or dictionary vector, which the C API
// does not show: rows behind the first must not read past it.
func TestToJSONOfConstantFields(t *testing.T) {
	check(t, kernel.Spec{Name: "k", Kind: "to_json", Args: []string{"STRUCT(a INT, b VARCHAR, c STRUCT(d VARCHAR, e INT[]))"}, Return: "VARCHAR"},
		"(1, 10), (2, NULL), (3, 30)", "k({'a': v, 'b': 'constant text', 'c': {'d': 'inner', 'e': [v, 7]}})",
		`{"a":10,"b":"constant text","c":{"d":"inner","e":[10,7]}}`,
		`{"b":"constant text","c":{"d":"inner","e":[null,7]}}`,
		`{"a":30,"b":"constant text","c":{"d":"inner","e":[30,7]}}`)
}

func TestToJSONOfEveryType(t *testing.T) {
	check(t, kernel.Spec{Name: "k", Kind: "to_json", Return: "VARCHAR", Params: []byte(`{"zone":"Europe/Paris"}`), Args: []string{
		"STRUCT(a BOOLEAN, b TINYINT, c DOUBLE, d DECIMAL(10,2), e DATE, f TIMESTAMPTZ, g TIMESTAMP, h BLOB, i MAP(VARCHAR, INT), j FLOAT, k MAP(DATE, INT), \"l\"\"x\" VARCHAR)"}},
		"(1, 1.5), (2, NULL)",
		`k({'a': true, 'b': -1::TINYINT, 'c': v::DOUBLE, 'd': v::DECIMAL(10,2), 'e': DATE '2024-02-29', 'f': TIMESTAMPTZ '2024-07-01 10:00:00.1234+00', 'g': TIMESTAMP '2024-07-01 10:00:00',
		'h': 'ab'::BLOB, 'i': MAP {'k': NULL::INT}, 'j': 'nan'::FLOAT, 'k': MAP {DATE '1970-01-03': 1}, 'l"x': 'q"\'})`,
		`{"a":true,"b":-1,"c":1.5,"d":1.50,"e":"2024-02-29","f":"2024-07-01T12:00:00.123+02:00","g":"2024-07-01T10:00:00.000","h":"YWI=","i":{"k":null},"j":"NaN","k":{"2":1},"l\"x":"q\"\\"}`,
		`{"a":true,"b":-1,"e":"2024-02-29","f":"2024-07-01T12:00:00.123+02:00","g":"2024-07-01T10:00:00.000","h":"YWI=","i":{"k":null},"j":"NaN","k":{"2":1},"l\"x":"q\"\\"}`)
}

func TestFromJSONNested(t *testing.T) {
	check(t, kernel.Spec{Name: "k", Kind: "from_json", Args: []string{"VARCHAR"}, Return: "STRUCT(a STRUCT(b INT, c VARCHAR[])[], m MAP(VARCHAR, DOUBLE))",
		Params: []byte(`{"schema":"{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":\"array\",\"elementType\":{\"type\":\"struct\",\"fields\":[{\"name\":\"b\",\"type\":\"integer\"},{\"name\":\"c\",\"type\":{\"type\":\"array\",\"elementType\":\"string\"}}]}}},{\"name\":\"m\",\"type\":{\"type\":\"map\",\"keyType\":\"string\",\"valueType\":\"double\"}}]}"}`)},
		`(1, '{"a":[{"b":1,"c":["x","a longer text than twelve"]},{"c":[]},null],"m":{"k":1.5}}'), (2, NULL), (3, 'bad'), (4, '{"m":{"a":1,"b":null}}')`, "k(v)::VARCHAR",
		`{'a': [{'b': 1, 'c': [x, a longer text than twelve]}, {'b': NULL, 'c': []}, NULL], 'm': {k=1.5}}`, "NULL", `{'a': NULL, 'm': NULL}`, `{'a': NULL, 'm': {a=1.0, b=NULL}}`)
}

func TestZones(t *testing.T) {
	check(t, kernel.Spec{Name: "k", Kind: "local_to_instant", Args: []string{"TIMESTAMP"}, Return: "TIMESTAMPTZ", Params: []byte(`{"zone":"Europe/Paris"}`)},
		"(1, TIMESTAMP '2024-03-31 02:30:00'), (2, TIMESTAMP '2024-10-27 02:30:00'), (3, NULL)", "k(v)::VARCHAR",
		"2024-03-31 01:30:00+00", "2024-10-27 00:30:00+00", "NULL")
	check(t, kernel.Spec{Name: "k", Kind: "instant_to_local", Args: []string{"TIMESTAMPTZ", "VARCHAR"}, Return: "TIMESTAMP"},
		"(1, 'Europe/Paris'), (2, 'Nowhere'), (3, '+01:30')", "k(TIMESTAMPTZ '2024-07-01 10:00:00+00', v)::VARCHAR",
		"2024-07-01 12:00:00", "NULL", "2024-07-01 11:30:00")
}

func TestDecimals(t *testing.T) {
	for _, k := range []struct{ kind, a, b, ret, expr, want string }{
		{"decimal_div", "DECIMAL(38,0)", "DECIMAL(38,0)", "DECIMAL(38,6)", "k(12345678901234567890123456789012345678, 3)", "NULL"},
		{"decimal_div", "DECIMAL(38,10)", "DECIMAL(38,10)", "DECIMAL(38,6)", "k(1, 3)", "0.333333"},
		{"decimal_div", "DECIMAL(10,2)", "DECIMAL(10,2)", "DECIMAL(23,13)", "k(1, 0)", "NULL"},
		{"decimal_mul", "DECIMAL(38,10)", "DECIMAL(38,10)", "DECIMAL(38,6)", "k(1.0000005, 1)", "1.000001"},
		{"decimal_mul", "DECIMAL(18,4)", "DECIMAL(18,4)", "DECIMAL(37,8)", "k(-99999999999999.9999, 99999999999999.9999)", "-9999999999999999980000000000.00000001"},
		{"decimal_add", "DECIMAL(38,0)", "DECIMAL(38,0)", "DECIMAL(38,0)", "k(99999999999999999999999999999999999999, 1)", "NULL"},
		{"decimal_sub", "DECIMAL(10,2)", "DECIMAL(5,1)", "DECIMAL(12,2)", "k(1.05, 2.1)", "-1.05"},
		{"decimal_mod", "DECIMAL(10,2)", "DECIMAL(5,1)", "DECIMAL(6,2)", "k(-7.25, 2.0)", "-1.25"},
	} {
		check(t, kernel.Spec{Name: "k", Kind: k.kind, Args: []string{k.a, k.b}, Return: k.ret}, "(1, 1)",
			strings.NewReplacer("k(", "k(('", ", ", "')::"+k.a+", ('", ")", "')::"+k.b+")::VARCHAR").Replace(k.expr), k.want)
	}
	check(t, kernel.Spec{Name: "k", Kind: "decimal_rescale", Args: []string{"DECIMAL(10,3)"}, Return: "DECIMAL(4,1)"},
		"(1, 1.25), (2, -1.25), (3, 999.95), (4, 999.949)", "k(v::DECIMAL(10,3))::VARCHAR", "1.3", "-1.3", "NULL", "999.9")
}

func TestRounding(t *testing.T) {
	check(t, kernel.Spec{Name: "k", Kind: "round_double", Args: []string{"DOUBLE", "INTEGER"}, Return: "DOUBLE"},
		"(1, 2.675), (2, -2.5), (3, 1e300), (4, -0.001)", "k(v::DOUBLE, 2)::VARCHAR", "2.68", "-2.5", "1e+300", "0.0")
	check(t, kernel.Spec{Name: "k", Kind: "bround_double", Args: []string{"DOUBLE", "INTEGER"}, Return: "DOUBLE"},
		"(1, 2.5), (2, 3.5), (3, 25)", "k(v::DOUBLE, CASE n WHEN 3 THEN -1 ELSE 0 END)::VARCHAR", "2.0", "4.0", "20.0")
}

func TestStrToMap(t *testing.T) {
	check(t, kernel.Spec{Name: "k", Kind: "str_to_map", Args: []string{"VARCHAR"}, Return: "MAP(VARCHAR, VARCHAR)", Params: []byte(`{"pair":",","keyvalue":":"}`)},
		"(1, 'a:1,b:2,c'), (2, 'a:1,a:2'), (3, ''), (4, NULL), (5, 'k:a value of many letters')", "k(v)::VARCHAR",
		"{a=1, b=2, c=NULL}", "{a=2}", "{''=NULL}", "NULL", "{k=a value of many letters}")
}

func TestManyArgumentsHash(t *testing.T) {
	// hash(NULL, x) is hash(x): a NULL leaves the seed.
	check(t, kernel.Spec{Name: "k", Kind: "hash", Args: []string{"INTEGER", "VARCHAR", "INTEGER[]"}, Return: "INTEGER"},
		"(1, NULL), (2, 1)", "(k(v, NULL, NULL) = k(NULL, NULL, [v]))::VARCHAR", "true", "true")
}

func TestBacktrackingEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes two seconds")
	}
	c := open(t)
	if err := c.Register(kernel.Spec{Name: "k", Kind: "regexp_like", Args: []string{"VARCHAR"}, Return: "BOOLEAN", Params: []byte(`{"pattern":"^(?=a)(a+)+$"}`)}); err != nil {
		t.Fatal(err)
	}
	err := c.Exec(t.Context(), "SELECT k(repeat('a', 40) || 'b')")
	if err == nil || !strings.Contains(err.Error(), "REGEXP_TIMEOUT") {
		t.Errorf("%v", err)
	}
}

func TestJSONArraysAndObjects(t *testing.T) {
	check(t, kernel.Spec{Name: "k", Kind: "json_array_length", Args: []string{"VARCHAR"}, Return: "INTEGER"},
		`(1, '[1,[2,3],{"a":4}]'), (2, '[]'), (3, '{}'), (4, '[1'), (5, NULL)`, "k(v)::VARCHAR", "3", "0", "NULL", "NULL", "NULL")
	check(t, kernel.Spec{Name: "k", Kind: "json_object_keys", Args: []string{"VARCHAR"}, Return: "VARCHAR[]"},
		`(1, '{"a":1,"a key of many letters":{"x":2}}'), (2, '{}'), (3, '[1]'), (4, '{"a":1'), (5, '{"z":null}')`, "k(v)::VARCHAR", "[a, a key of many letters]", "[]", "NULL", "NULL", "[z]")
}

func TestDecimalsToIntegersAndHalfEven(t *testing.T) {
	check(t, kernel.Spec{Name: "k", Kind: "decimal_int_div", Args: []string{"DECIMAL(38,1)", "DECIMAL(10,2)"}, Return: "BIGINT"},
		"(1, 7.5), (2, -7.5), (3, 0), (4, 9223372036854775808)", "k(v::DECIMAL(38,1), (CASE n WHEN 3 THEN 0 WHEN 4 THEN 1 ELSE 2 END)::DECIMAL(10,2))::VARCHAR",
		"3", "-3", "NULL", "-9223372036854775808")
	check(t, kernel.Spec{Name: "k", Kind: "decimal_round", Args: []string{"DECIMAL(10,2)", "INTEGER"}, Return: "DECIMAL(10,1)", Params: []byte(`{"How":"bround"}`)},
		"(1, 2.25), (2, 2.35), (3, -2.25)", "k(v::DECIMAL(10,2), 1)::VARCHAR", "2.2", "2.4", "-2.2")
}

func TestPaddedBinary(t *testing.T) {
	check(t, kernel.Spec{Name: "k", Kind: "lpad_binary", Args: []string{"BLOB", "INTEGER", "BLOB"}, Return: "BLOB"},
		"(1, 5), (2, 1), (3, 0), (4, -1)", `k('ab'::BLOB, v, 'xy'::BLOB)::VARCHAR`, "xyxab", "a", "", "")
}

func TestTimesOfToday(t *testing.T) {
	check(t, kernel.Spec{Name: "k", Kind: "string_to_timestamp", Args: []string{"VARCHAR"}, Return: "TIMESTAMPTZ", Params: []byte(`{"zone":"UTC"}`)},
		"(1, '03:04:05'), (2, 'T3:4'), (3, '3')", "strftime(k(v), '%H:%M:%S')", "03:04:05", "03:04:00", "NULL")
}

func TestAGroupThatIsNotThere(t *testing.T) {
	check(t, kernel.Spec{Name: "k", Kind: "regexp_extract", Args: []string{"VARCHAR"}, Return: "VARCHAR", Params: []byte(`{"pattern":"(a)","group":2}`)},
		"(1, 'a'), (2, 'b')", "k(v)", "NULL", "")
}

func TestToJSONOfVoidAndOptions(t *testing.T) {
	check(t, kernel.Spec{Name: "k", Kind: "to_json", Args: []string{"STRUCT(a INT, b INT[])"}, Return: "VARCHAR",
		Params: []byte(`{"schema":"{\"type\":\"struct\",\"fields\":[{\"name\":\"A\",\"type\":\"void\"},{\"name\":\"B\",\"type\":{\"type\":\"array\",\"elementType\":\"void\"}}]}","options":{"ignorenullfields":"false","whatever":"x"}}`)},
		"(1, 1)", "k({'a': NULL::INT, 'b': [NULL::INT]})", `{"A":null,"B":[null]}`)
	check(t, kernel.Spec{Name: "k", Kind: "to_json", Args: []string{"VARCHAR[]"}, Return: "VARCHAR", Params: []byte(`{"options":{"writenonasciicharacterascodepoint":"true"}}`)},
		"(1, 1)", "k(['é😀', 'a'])", `["\u00E9\uD83D\uDE00","a"]`)
}

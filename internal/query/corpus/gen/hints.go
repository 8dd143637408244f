package gen

import "maps"

// words are arguments by function and place that types do not tell: constants
// as SQL. A place that is not named takes any expression of its type.
func words() map[string]map[int][]string {
	format := []string{"'yyyy-MM-dd'", "'yyyy-MM-dd HH:mm:ss'", "'dd/MM/yy'", "'MMM d, yyyy'", "'EEEE'", "'HH:mm:ss.SSS'", "'D'", "'QQQ'", "'y'", "'hh a'"}
	pattern := []string{"'a'", "'[a-z]+'", `'(\\d+)'`, "'^.*$'", "'(?i)HELLO (w)'", "','", "''", `'\\s'`, "'(a)|(b)'"}
	like := []string{"'%a%'", "'_b%'", "'%'", "''", "'a!%'"}
	zone := []string{"'Europe/Madrid'", "'UTC'", "'America/New_York'", "'+05:30'"}
	number := []string{"'999'", "'S999.99'", "'000D00'", "'$99,999.99'", "'99PR'"}
	charset := []string{"'UTF-8'", "'UTF-16'", "'ISO-8859-1'", "'US-ASCII'"}
	schema := []string{"'a INT, b STRING'", "'map<string,string>'", "'array<int>'", "'a DOUBLE, c ARRAY<BIGINT>'"}
	unit := []string{"'year'", "'QUARTER'", "'month'", "'week'", "'day'", "'hour'", "'minute'", "'second'"}
	path := []string{"'$.a'", "'$.c[0]'", "'$.b'", "'$'", "'$[1]'"}
	share := []string{"0.5D", "0.25", "0.0", "1", "array(0.25, 0.75)"}
	jsonText := []string{`'{"a":1,"b":[1.5,"x"]}'`, "'[1,2]'", "'null'", `'{"a":{"b":true}}'`}
	xpath := map[int][]string{0: {"'<a><b>1</b><b>x</b></a>'", "'<a/>'", "str"}, 1: {"'a/b'", "'a/b/text()'", "'count(a/b)'"}}
	out := map[string]map[int][]string{
		"array_join":         {1: {"','", "''"}, 2: {"'-'"}},
		"conv":               everywhere([]string{"10", "16", "2", "36", "-10", "8"}, 1, 2),
		"convert_timezone":   everywhere(zone, 0, 1),
		"date_format":        everywhere(format, 1),
		"date_part":          everywhere(append([]string{"'dow'", "'doy'", "'yearofweek'"}, unit...), 0),
		"date_trunc":         everywhere(unit, 0),
		"decode":             everywhere(charset, 1),
		"encode":             everywhere(charset, 1),
		"format_number":      everywhere([]string{"0", "2", "5", "'#,###.0'", "'000.00'"}, 1),
		"format_string":      everywhere([]string{"'%s|'", "'[%10s]'", "'%s %<s'", "'100%%'"}, 0),
		"from_csv":           {0: {"'1,x'", "','", "str", "'a,2'"}, 1: {"'a INT, b STRING'", "'a STRING, d DATE'"}, 2: {"map('mode', 'PERMISSIVE')", "map('sep', ' ')"}},
		"from_json":          {0: {"js", "js", "num", `'{"a":1.5,"c":[1,2]}'`}, 1: schema, 2: {"map('mode', 'PERMISSIVE')"}},
		"from_unixtime":      everywhere(format, 1),
		"from_utc_timestamp": everywhere(zone, 1),
		"get_json_object":    {0: {"js", `'{"a":[1,{"b":2}]}'`}, 1: path},
		"json_array_length":  {0: {"js", "'[1,[2,3]]'"}},
		"json_object_keys":   {0: {"js"}},
		"json_tuple":         {0: {"js"}, 1: {"'a'"}, 2: {"'b'"}},
		"like":               {1: like, 2: {"'!'", "'a'"}},
		"ilike":              {1: like, 2: {"'!'"}},
		"like all":           everywhere(like, 1, 2),
		"like any":           everywhere(like, 1, 2),
		"not like all":       everywhere(like, 1, 2),
		"not like any":       everywhere(like, 1, 2),
		"make_timestamp":     everywhere(zone, 6),
		"make_timestamp_ltz": everywhere(zone, 6),
		"mask":               everywhere([]string{"'X'", "'x'", "'#'", "NULL"}, 1, 2, 3, 4),
		"months_between":     everywhere([]string{"true", "false"}, 2),
		"named_struct":       {0: {"'a'"}, 2: {"'b'"}},
		"next_day":           everywhere([]string{"'Mon'", "'SUNDAY'", "'xx'"}, 1),
		"nth_value":          everywhere([]string{"1", "2"}, 1),
		"ntile":              everywhere([]string{"1", "3"}, 0),
		"lag":                {1: {"1", "2", "-1"}},
		"lead":               {1: {"1", "2", "0"}},
		"parse_json":         {0: append([]string{"js"}, jsonText...)},
		"parse_url":          {0: {"'https://u:p@h.com:8080/a/b?x=1&y=2#f'", "str"}, 1: {"'HOST'", "'PATH'", "'QUERY'", "'REF'", "'PROTOCOL'", "'AUTHORITY'", "'USERINFO'", "'FILE'"}, 2: {"'x'", "'z'"}},
		"percentile":         {1: share, 2: {"1", "2"}},
		"percentile_approx":  {1: share, 2: {"100", "10000"}},
		"regexp":             everywhere(pattern, 1),
		"regexp_count":       everywhere(pattern, 1),
		"regexp_extract":     {1: pattern, 2: {"0", "1", "2"}},
		"regexp_extract_all": {1: pattern, 2: {"0", "1"}},
		"regexp_instr":       {1: pattern, 2: {"0", "1"}},
		"regexp_like":        everywhere(pattern, 1),
		"regexp_replace":     {1: pattern, 2: {"'<$0>'", "''", "'-'"}, 3: {"1", "3"}},
		"regexp_substr":      everywhere(pattern, 1),
		"rlike":              everywhere(pattern, 1),
		"schema_of_csv":      {0: {"'1,a,2024-01-01'", "'x'"}},
		"schema_of_json":     {0: jsonText},
		"sequence":           {0: {"1", "5", "0", "-2"}, 1: {"3", "-1", "5"}, 2: {"1", "2", "-1", "0"}},
		"sha2":               everywhere([]string{"0", "224", "256", "384", "512", "1"}, 1),
		"slice":              everywhere([]string{"1", "2", "-1", "0", "3"}, 1, 2),
		"sort_array":         everywhere([]string{"true", "false"}, 1),
		"split":              {1: pattern, 2: {"2", "0", "-1"}},
		"split_part":         {1: {"','", "' '", "''"}, 2: {"1", "2", "-1", "0"}},
		"str_to_map":         {1: {"','", "' '"}, 2: {"':'", "'b'"}},
		"substring_index":    {1: {"','", "' '", "'l'"}, 2: {"1", "-1", "0", "2"}},
		"to_binary":          everywhere([]string{"'hex'", "'utf-8'", "'base64'"}, 1),
		"to_char":            everywhere(append(number, format[:3]...), 1),
		"to_csv":             {1: {"map('sep', '|')"}},
		"to_date":            everywhere(format, 1),
		"to_number":          {0: {"'12'", "'-3.50'", "'$78.12'", "num"}, 1: number},
		"to_timestamp":       everywhere(format, 1),
		"to_timestamp_ltz":   everywhere(format, 1),
		"to_timestamp_ntz":   everywhere(format, 1),
		"to_unix_timestamp":  everywhere(format, 1),
		"to_utc_timestamp":   everywhere(zone, 1),
		"translate":          {1: {"'abc'", "'lé'"}, 2: {"'x'", "''", "'12'"}},
		"trunc":              everywhere(unit, 1),
		"try_parse_json":     {0: append([]string{"js"}, jsonText...)},
		"try_to_binary":      everywhere([]string{"'hex'", "'utf-8'"}, 1),
		"try_to_date":        everywhere(format, 1),
		"try_to_number":      {0: {"'12'", "'-3.50'", "num"}, 1: number},
		"try_to_timestamp":   everywhere(format, 1),
		"try_variant_get":    {1: path, 2: {"'int'", "'string'", "'double'"}},
		"unix_timestamp":     everywhere(format, 1),
		"variant_get":        {1: path, 2: {"'int'", "'string'", "'double'"}},
		"vector_norm":        everywhere([]string{"1.0F", "2.0F"}, 1),
		"xpath":              xpath, "xpath_boolean": xpath, "xpath_double": xpath, "xpath_float": xpath, "xpath_int": xpath,
		"xpath_long": xpath, "xpath_short": xpath, "xpath_string": xpath,
		"width_bucket": everywhere([]string{"5", "10", "0"}, 3),
	}
	maps.Copy(out, sizes())
	return out
}

// sizes are the words of functions that only need small numbers.
func sizes() map[string]map[int][]string {
	small := []string{"-1", "0", "1", "3", "5"}
	digits := []string{"-2", "-1", "0", "1", "3"}
	return map[string]map[int][]string{
		"array_insert":       everywhere(append([]string{"2", "-2"}, small...), 1),
		"array_repeat":       everywhere(small, 1),
		"bround":             everywhere(digits, 1),
		"ceil":               everywhere(digits, 1),
		"floor":              everywhere(digits, 1),
		"left":               everywhere(small, 1),
		"lpad":               {1: small, 2: {"'xy'", "''", "'é'"}},
		"overlay":            everywhere(small, 2, 3),
		"repeat":             everywhere(small, 1),
		"right":              everywhere(small, 1),
		"round":              everywhere(digits, 1),
		"rpad":               {1: small, 2: {"'xy'", "''", "'é'"}},
		"shiftleft":          everywhere(small, 1),
		"shiftright":         everywhere(small, 1),
		"shiftrightunsigned": everywhere(small, 1),
		"<<":                 everywhere(small, 1),
		">>":                 everywhere(small, 1),
		">>>":                everywhere(small, 1),
		"space":              everywhere(small, 0),
		"substring":          everywhere(small, 1, 2),
	}
}

// everywhere is one list of words at several places.
func everywhere(vs []string, is ...int) map[int][]string {
	out := map[int][]string{}
	for _, i := range is {
		out[i] = vs
	}
	return out
}

// excluded are functions without one right answer, each with the reason.
func excluded() map[string]string {
	const (
		random  = "another value each time"
		clock   = "the time of the run"
		session = "what each engine is called and who asks"
		place   = "where rows lie"
		form    = "written in a form of its own, made by the generator's templates or not at all"
	)
	out := map[string]string{
		"rand": random, "randn": random, "random": random, "randstr": random, "uniform": random, "uuid": random, "shuffle": random,
		"monotonically_increasing_id": random,
		"curdate":                     clock, "current_date": clock, "current_time": clock, "current_timestamp": clock, "localtimestamp": clock, "now": clock,
		"current_user": session, "user": session, "session_user": session, "current_catalog": session, "current_database": session,
		"current_schema": session, "version": session, "current_timezone": session,
		"input_file_name": place, "spark_partition_id": place, "input_file_block_start": place, "input_file_block_length": place,
		"grouping": form, "grouping_id": form, "window": form, "session_window": form, "window_time": form, "stack": form,
		"array field": form, "decode pairs": form, "to_char number": form, "timestampadd": form, "timestampdiff": form, "extract": form,
		"raise_error":     "its message is the answer",
		"percentile_cont": form, "percentile_disc": form, "mode": "ties are broken by the order of rows",
		"approx_count_distinct": "an estimate", "listagg": form, "string_agg": form, "read_files": form, "range": form,
		"max_by": "ties are broken by the order of rows", "min_by": "ties are broken by the order of rows",
		"transform": form, "filter": form, "exists": form, "forall": form, "aggregate": form, "reduce": form, "zip_with": form, "map_filter": form,
		"transform_keys": form, "transform_values": form, "map_zip_with": form,
	}
	for _, name := range []string{"make_time", "time", "time_diff", "time_from_micros", "time_from_millis", "time_from_seconds", "time_to_micros",
		"time_to_millis", "time_to_seconds", "time_trunc", "to_time", "try_to_time"} {
		out[name] = "the type TIME is off unless a setting allows it"
	}
	for _, name := range []string{"charindex", "iff", "integer"} {
		out[name] = "Databricks has it, Spark does not"
	}
	return out
}

// leastArgs are functions that tell the time when they are called with fewer
// arguments.
func leastArgs() map[string]int {
	return map[string]int{"unix_timestamp": 1, "to_unix_timestamp": 1}
}

// byRow are aggregates whose answer depends on the order of rows.
func byRow() map[string]bool {
	return map[string]bool{"first": true, "first_value": true, "last": true, "last_value": true, "any_value": true, "collect_list": true, "array_agg": true, "collect_set": true}
}

// operators says how the registry's operators are written: parts around the
// operands.
func operators() map[string][]string {
	out := map[string][]string{
		"u-": {"(- ", ")"}, "u+": {"(+ ", ")"}, "~": {"(~ ", ")"}, "not": {"(NOT ", ")"}, "!": {"(! ", ")"},
		"is null": {"(", " IS NULL)"}, "is not null": {"(", " IS NOT NULL)"},
		"is true": {"(", " IS TRUE)"}, "is false": {"(", " IS NOT FALSE)"},
		"between": {"(", " BETWEEN ", " AND ", ")"}, "in": {"(", " IN (", ", ", "))"}, "[]": {"", "[", "]"},
		"like any": {"(", " LIKE ANY (", ", ", "))"}, "like all": {"(", " LIKE ALL (", ", ", "))"},
		"not like any": {"(", " NOT LIKE ANY (", ", ", "))"}, "not like all": {"(", " NOT LIKE ALL (", ", ", "))"},
		"is distinct from": {"(", " IS DISTINCT FROM ", ")"},
	}
	for _, op := range []string{"%", "&", "*", "+", "-", "/", "<", "<<", "<=", "<=>", "<>", "!=", "=", "==", ">", ">=", ">>", ">>>", "^", "and", "or", "|", "||", "div"} {
		out[op] = []string{"(", " " + op + " ", ")"}
	}
	return out
}

package gen

import (
	"fmt"
	"math/rand/v2"
	"sort"

	"github.com/marisma/marisma/internal/sparksql/types"
)

// A source of values of one type: columns of lab.cells, and constants.
type values struct {
	typ     types.Type
	columns []string
	edges   []string // constants, the plainest first
}

// Types that arguments are tried with.
func pool() []values {
	array := func(t types.Type) types.Type { return types.Array{Elem: t, ContainsNull: true} }
	pair := types.Struct{Fields: []types.Field{{Name: "a", Type: types.Int, Nullable: true}, {Name: "b", Type: types.String, Nullable: true}}}
	return []values{
		{types.Boolean, []string{"flag"}, []string{"true", "false"}},
		{types.TinyInt, []string{"b"}, []string{"1Y", "-128Y", "127Y", "0Y"}},
		{types.SmallInt, []string{"s"}, []string{"2S", "-32768S", "300S"}},
		{types.Int, []string{"i", "j", "id"}, []string{"1", "0", "-1", "2", "5", "31", "2147483647", "-2147483648"}},
		{types.BigInt, []string{"l"}, []string{"1L", "0L", "-5L", "9223372036854775807L", "1700000000L"}},
		{types.Float, []string{"f"}, []string{"1.5F", "0F", "-2.25F", "float('NaN')", "3.4e38F"}},
		{types.Double, []string{"d"}, []string{"1.5D", "0D", "-0.0D", "1e-7D", "double('NaN')", "double('-Infinity')", "123456789.125D"}},
		{types.Decimal{Precision: 10, Scale: 2}, []string{"m"}, []string{"CAST(1.25 AS DECIMAL(10,2))", "12345678.90"}},
		{types.Decimal{Precision: 38, Scale: 10}, []string{"w"}, []string{"CAST(-0.5 AS DECIMAL(38,10))"}},
		{types.Decimal{Precision: 3, Scale: 1}, nil, []string{"12.5", "-99.9", "10.0"}},
		{types.String, []string{"str", "num", "js"}, []string{"'a'", "''", "'12'", "' x Y '", "'2024-01-31'", "'é😀'", "'a,b,c'", "'true'"}},
		{types.Binary, []string{"bin"}, []string{"X'6162'", "X''", "X'c328'"}},
		{types.Date, []string{"dt"}, []string{"DATE'2024-01-31'", "DATE'1900-02-28'", "DATE'9999-12-31'"}},
		{types.Timestamp, []string{"ts"}, []string{"TIMESTAMP'2024-01-31 10:20:30'", "TIMESTAMP'1969-12-31 23:59:59.999999'"}},
		{types.TimestampNTZ, []string{"ntz"}, []string{"TIMESTAMP_NTZ'2024-01-31 10:20:30'", "TIMESTAMP_NTZ'2000-02-29 00:00:00.5'"}},
		{array(types.Int), []string{"ai"}, []string{"array(1, 2)", "array(3, NULL, 3)", "CAST(array() AS ARRAY<INT>)"}},
		{array(types.String), []string{"ax"}, []string{"array('a', 'b')", "array('b', NULL)"}},
		{array(types.Double), []string{"ad"}, []string{"array(1.5D, 0D)"}},
		{array(array(types.Int)), nil, []string{"array(ai, array(9))", "array(array(1), NULL)"}},
		{array(types.Float), nil, []string{"array(1.5F, -2F)"}},
		{array(pair), nil, []string{"array(st)"}},
		{types.Map{Key: types.String, Value: types.Int, ValueContainsNull: true}, []string{"mi"}, []string{"map('a', 1)", "map('b', 2, 'c', NULL)"}},
		{pair, []string{"st"}, []string{"named_struct('a', 1, 'b', 'x')"}},
		{types.YearMonth{From: types.Year, To: types.Month}, nil, []string{"INTERVAL '1-2' YEAR TO MONTH", "make_ym_interval(b, 3)"}},
		{types.DayTime{From: types.Day, To: types.Second}, nil, []string{"INTERVAL '1 02:03:04.5' DAY TO SECOND", "make_dt_interval(b, j, 0, 1.5)"}},
		{types.Calendar, nil, []string{"make_interval(1, 2, 0, b, 0, 0, 1.5)", "make_interval()"}},
		{types.Variant, nil, []string{`parse_json('{"a":1,"b":[1,"x"]}')`, "parse_json('1.50')", "to_variant_object(st)"}},
	}
}

// simplest are constants and a column that stand for a subtree of type t.
func simplest(t types.Type) []string {
	for _, v := range pool() {
		if types.Equal(v.typ, t) {
			out := append([]string{}, v.edges[:min(2, len(v.edges))]...)
			return append(out, v.columns...)
		}
	}
	if t == types.Void {
		return []string{"NULL"}
	}
	return []string{fmt.Sprintf("CAST(NULL AS %s)", t.SQL())}
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func sortBySize(es []*Expr) {
	sort.SliceStable(es, func(i, j int) bool { return es[i].size() < es[j].size() })
}

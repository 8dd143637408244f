package funcs

import (
	"math/big"
	"testing"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func dec(p, s int, unscaled int64) plan.Expr {
	return &plan.Literal{Value: big.NewInt(unscaled), Typ: types.Decimal{Precision: p, Scale: s}}
}

func col(name string, t types.Type) plan.Expr {
	return &plan.Column{Attr: plan.Attr{ID: plan.NewID(), Name: name, Type: t, Nullable: true}}
}

func TestResolveTypesAndNames(t *testing.T) {
	i, l, s, d := col("i", types.Int), col("l", types.BigInt), col("s", types.String), col("d", types.Date)
	ts, f, ff := col("ts", types.Timestamp), col("f", types.Double), col("ff", types.Float)
	dc := col("dc", types.Decimal{Precision: 10, Scale: 2})
	day := &plan.Literal{Value: int64(86400e6), Typ: types.DayTime{From: types.Day, To: types.Day}}
	month := &plan.Literal{Value: int64(1), Typ: types.YearMonth{From: types.Month, To: types.Month}}
	tests := []struct {
		fn         string
		args       []plan.Expr
		want, name string
	}{
		{"+", []plan.Expr{i, litInt(1)}, "int", "(i + 1)"},
		{"+", []plan.Expr{i, l}, "bigint", "(i + l)"},
		{"+", []plan.Expr{i, s}, "bigint", "(i + s)"},
		{"+", []plan.Expr{dc, s}, "double", "(dc + s)"},
		{"+", []plan.Expr{litInt(1), dec(2, 1, 15)}, "decimal(3,1)", "(1 + 1.5)"},
		{"+", []plan.Expr{i, dec(2, 1, 15)}, "decimal(12,1)", "(i + 1.5)"},
		{"*", []plan.Expr{dec(3, 2, 100), dec(3, 2, 100)}, "decimal(7,4)", "(1.00 * 1.00)"},
		{"/", []plan.Expr{dec(2, 1, 10), litInt(3)}, "decimal(7,6)", "(1.0 / 3)"},
		{"/", []plan.Expr{i, l}, "double", "(i / l)"},
		{"/", []plan.Expr{ff, ff}, "double", "(ff / ff)"},
		{"*", []plan.Expr{ff, ff}, "float", "(ff * ff)"},
		{"*", []plan.Expr{ff, i}, "double", "(ff * i)"},
		{"%", []plan.Expr{dec(2, 1, 55), dec(3, 2, 225)}, "decimal(3,2)", "(5.5 % 2.25)"},
		{"div", []plan.Expr{i, i}, "bigint", "(i div i)"},
		{"+", []plan.Expr{litNull(), litNull()}, "double", "(NULL + NULL)"},
		{"u-", []plan.Expr{s}, "double", "(- s)"},
		{"+", []plan.Expr{d, litInt(1)}, "date", "date_add(d, 1)"},
		{"-", []plan.Expr{d, d}, "interval day", "(d - d)"},
		{"-", []plan.Expr{ts, d}, "interval day to second", "(ts - d)"},
		{"+", []plan.Expr{d, month}, "date", "d + INTERVAL '1' MONTH"},
		{"+", []plan.Expr{ts, day}, "timestamp", "ts + INTERVAL '1' DAY"},
		{"-", []plan.Expr{d, day}, "date", "date_add(d, (- extractansiintervaldays(INTERVAL '1' DAY)))"},
		{"*", []plan.Expr{day, litInt(2)}, "interval day to second", "(INTERVAL '1' DAY * 2)"},
		{"=", []plan.Expr{i, s}, "boolean", "(i = s)"},
		{"between", []plan.Expr{i, litInt(1), l}, "boolean", "between(i, 1, l)"},
		{"in", []plan.Expr{i, litInt(1), s}, "boolean", "(i IN (1, s))"},
		{"coalesce", []plan.Expr{i, dec(2, 1, 15)}, "decimal(11,1)", "coalesce(i, 1.5)"},
		{"nullif", []plan.Expr{i, dec(2, 1, 15)}, "int", "nullif(i, 1.5)"},
		{"array", []plan.Expr{litInt(1), litStr("2")}, "array<bigint>", "array(1, 2)"},
		{"round", []plan.Expr{dc}, "decimal(9,0)", "round(dc, 0)"},
		{"ceil", []plan.Expr{dec(4, 2, 9999)}, "decimal(3,0)", "CEIL(99.99)"},
		{"floor", []plan.Expr{f}, "bigint", "FLOOR(f)"},
		{"sum", []plan.Expr{i}, "bigint", "sum(i)"},
		{"sum", []plan.Expr{dc}, "decimal(20,2)", "sum(dc)"},
		{"avg", []plan.Expr{dc}, "decimal(14,6)", "avg(dc)"},
		{"if", []plan.Expr{litBool(true), litNull(), s}, "string", "(IF(true, NULL, s))"},
		{"substring", []plan.Expr{s, litInt(2)}, "string", "substring(s, 2, 2147483647)"},
		{"sqrt", []plan.Expr{s}, "double", "SQRT(s)"},
		{"concat", []plan.Expr{s, i}, "string", "concat(s, i)"},
		{"||", []plan.Expr{s, i}, "string", "concat(s, i)"},
		{"nvl", []plan.Expr{i, l}, "bigint", "nvl(i, l)"},
		{"power", []plan.Expr{i, l}, "double", "POWER(i, l)"},
		{"int", []plan.Expr{litStr("5")}, "int", "5"},
		{"timestamp_seconds", []plan.Expr{dec(2, 1, 15)}, "timestamp", "timestamp_seconds(1.5)"},
		{"unix_timestamp", []plan.Expr{d}, "bigint", "unix_timestamp(d, yyyy-MM-dd HH:mm:ss)"},
		{"map", []plan.Expr{litInt(1), litInt(2), l, dec(2, 1, 45)}, "map<bigint,decimal(11,1)>", "map(1, 2, l, 4.5)"},
		{"struct", []plan.Expr{i, litInt(2)}, "struct<i:int,col2:int>", "struct(i, 2)"},
		{"lag", []plan.Expr{i}, "int", "lag(i, 1, NULL)"},
		{"extract", []plan.Expr{litStr("SECOND"), ts}, "decimal(8,6)", "extract(SECOND FROM ts)"},
	}
	for _, tc := range tests {
		x, err := Resolve(tc.fn, tc.args, Context{ANSI: true})
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if got := x.Type().String(); got != tc.want {
			t.Errorf("%s: type %s, want %s", tc.name, got, tc.want)
		}
		if got := SQLName(x); got != tc.name {
			t.Errorf("name %q, want %q", got, tc.name)
		}
	}
}

func TestResolveErrors(t *testing.T) {
	i, l, s, d := col("i", types.Int), col("l", types.BigInt), col("s", types.String), col("d", types.Date)
	tests := []struct {
		fn    string
		args  []plan.Expr
		class string
	}{
		{"uper", []plan.Expr{s}, "UNRESOLVED_ROUTINE"},
		{"upper", nil, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"},
		{"+", []plan.Expr{s, s}, "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE"},
		{"*", []plan.Expr{d, i}, "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES"},
		{"=", []plan.Expr{d, i}, "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES"},
		{"date_add", []plan.Expr{d, l}, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"},
		{"greatest", []plan.Expr{i, s}, "DATATYPE_MISMATCH.DATA_DIFF_TYPES"},
		{"if", []plan.Expr{s, i, i}, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"},
		{"explode", []plan.Expr{i}, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"},
		{"not", []plan.Expr{i}, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"},
	}
	for _, tc := range tests {
		_, err := Resolve(tc.fn, tc.args, Context{ANSI: true})
		if got := sparksql.ClassOf(err); got != tc.class {
			t.Errorf("%s: class %q, want %q (%v)", tc.fn, got, tc.class, err)
		}
	}
}

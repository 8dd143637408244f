package query_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

var wide = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.PrimitiveTypes.Int64},
	{Name: "i", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "d", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "n", Type: &arrow.Decimal128Type{Precision: 10, Scale: 2}, Nullable: true},
	{Name: "dt", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "ts", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true},
	{Name: "b", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	{Name: "p", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "q", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
}, nil)

// Values that lie near each other, and those that are hard to order.
var (
	texts    = []string{"", "a", "ab", "Z", "ñu", "日本", strings.Repeat("x", 40) + "1", strings.Repeat("x", 40) + "2", strings.Repeat("x", 31) + "é9"}
	doubles  = []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 0, 1.5, -2.25, 1e300}
	parts    = []string{"", "plain", "a=b", "ü %/x", "it's", "__HIVE_DEFAULT_PARTITION__"}
	instants = []int64{0, 1, 999, 1000, 1_700_000_000_123_456, 1_700_000_000_123_999, -1}
)

func randomBatch(rng *rand.Rand, first int64, rows int) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, wide)
	defer b.Release()
	near := rng.IntN(20) - 10 // a file's values are near each other
	for r := range rows {
		b.Field(0).(*array.Int64Builder).Append(first + int64(r))
		null := func(f int) bool {
			if rng.IntN(6) == 0 {
				b.Field(f).AppendNull()
				return true
			}
			return false
		}
		v := near + rng.IntN(4)
		if !null(1) {
			b.Field(1).(*array.Int32Builder).Append(int32(v))
		}
		if !null(2) {
			d := float64(v) / 2
			if rng.IntN(4) == 0 {
				d = doubles[rng.IntN(len(doubles))]
			}
			b.Field(2).(*array.Float64Builder).Append(d)
		}
		if !null(3) {
			b.Field(3).(*array.StringBuilder).Append(texts[(near+10+rng.IntN(2))%len(texts)])
		}
		if !null(4) {
			b.Field(4).(*array.Decimal128Builder).Append(decimal128.FromI64(int64(v * 25)))
		}
		if !null(5) {
			b.Field(5).(*array.Date32Builder).Append(arrow.Date32(19000 + v))
		}
		if !null(6) {
			b.Field(6).(*array.TimestampBuilder).Append(arrow.Timestamp(instants[(near+10+rng.IntN(2))%len(instants)]))
		}
		if !null(7) {
			b.Field(7).(*array.BooleanBuilder).Append(v%2 == 0)
		}
		if p := parts[(near+10+rng.IntN(2))%len(parts)]; p == "" {
			b.Field(8).AppendNull()
		} else {
			b.Field(8).(*array.StringBuilder).Append(p)
		}
		if !null(9) {
			b.Field(9).(*array.Int32Builder).Append(int32(near))
		}
	}
	return b.NewRecordBatch()
}

// queries makes up statements over t (partitioned) and u.
type queries struct{ rng *rand.Rand }

func (q queries) pick(of ...string) string { return of[q.rng.IntN(len(of))] }

func (q queries) literal(col string) string {
	v := q.rng.IntN(24) - 12
	switch col {
	case "id":
		return q.pick(fmt.Sprintf("%dL", q.rng.IntN(200)), fmt.Sprint(q.rng.IntN(200)), "100Y")
	case "i", "q":
		return q.pick(fmt.Sprint(v), fmt.Sprint(v), fmt.Sprintf("%dL", v), "3000000000", "1.5", "2D")
	case "d":
		return q.pick(fmt.Sprintf("%.1fD", float64(v)/2), fmt.Sprintf("%.1f", float64(v)/2), fmt.Sprint(v), "0.0D", "-0.0D", "CAST('NaN' AS DOUBLE)", "CAST('Infinity' AS DOUBLE)", "1e300D")
	case "s":
		return "'" + texts[q.rng.IntN(len(texts))] + "'"
	case "p":
		return "'" + strings.ReplaceAll(parts[q.rng.IntN(len(parts))], "'", `\'`) + "'"
	case "n":
		return q.pick(fmt.Sprintf("CAST(%.2f AS DECIMAL(10,2))", float64(v)/4), fmt.Sprintf("%.3f", float64(v)/8), fmt.Sprint(v))
	case "dt":
		return q.pick("DATE", "TIMESTAMP", "") + fmt.Sprintf("'2022-01-%02d'", 1+q.rng.IntN(28))
	case "ts":
		return q.pick("TIMESTAMP'1970-01-01 00:00:00.000001Z'", "'1970-01-01 00:00:00.000999'", "'1970-01-01'", "DATE'1970-01-01'", "'2023-11-14T22:13:20.123456Z'", "TIMESTAMP'1970-01-01 00:00:00.000999Z'", "TIMESTAMP'1970-01-01 00:00:00Z'",
			"TIMESTAMP'2023-11-14 22:13:20.123456Z'", "TIMESTAMP'2023-11-14 22:13:20.123999Z'", "TIMESTAMP'2023-11-14 22:13:20.1235Z'")
	}
	return q.pick("true", "false")
}

// cond is a condition over the columns of alias a.
func (q queries) cond(a string, depth int) string {
	if depth > 0 {
		switch q.rng.IntN(6) {
		case 0, 1, 2:
			return "(" + q.cond(a, depth-1) + " AND " + q.cond(a, depth-1) + ")"
		case 3:
			return "(" + q.cond(a, depth-1) + " OR " + q.cond(a, depth-1) + ")"
		case 4:
			return "NOT (" + q.cond(a, depth-1) + ")"
		}
	}
	col := q.pick("id", "i", "d", "s", "n", "dt", "ts", "b", "p", "q")
	c := a + "." + col
	op := q.pick("=", "<", "<=", ">", ">=", "<>", "<=>")
	switch q.rng.IntN(8) {
	case 0:
		return c + " IS " + q.pick("", "NOT ") + "NULL"
	case 1:
		return q.literal(col) + " " + op + " " + c
	case 2:
		return c + " BETWEEN " + q.literal(col) + " AND " + q.literal(col)
	case 3:
		return c + " IN (" + q.literal(col) + ", " + q.pick("NULL", q.literal(col)) + ")"
	case 4:
		return "coalesce(" + c + ", " + q.literal(col) + ") " + op + " " + q.literal(col)
	}
	return c + " " + op + " " + q.literal(col)
}

func (q queries) next() string {
	c := func(a string) string { return q.cond(a, q.rng.IntN(3)) }
	join := q.pick("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")
	switch q.rng.IntN(14) {
	case 0:
		return fmt.Sprintf("SELECT x.k, x.s FROM (SELECT id AS k, i + 1 AS i, d, s, n, dt, ts, b, p, q, id FROM t) x WHERE %s", c("x"))
	case 1, 12:
		where := q.pick("true", q.cond(q.pick("a", "c"), 1))
		return fmt.Sprintf("SELECT a.id, c.id FROM t a %s u c ON a.i = c.i AND %s WHERE %s", join, q.cond(q.pick("a", "c"), 0), where)
	case 2:
		return fmt.Sprintf("SELECT a.id FROM t a %s u c ON a.i = c.i AND %s AND %s WHERE %s", q.pick("LEFT SEMI JOIN", "LEFT ANTI JOIN"), q.cond("a", 1), q.cond("c", 1), q.cond("a", 1))
	case 3:
		return fmt.Sprintf("WITH w AS (SELECT * FROM t) SELECT x.id FROM w x WHERE %s UNION ALL SELECT y.id FROM w y WHERE %s", c("x"), c("y"))
	case 4:
		return fmt.Sprintf("WITH w AS (SELECT * FROM t) SELECT x.id, y.id FROM w x JOIN w y ON x.i = y.i AND %s WHERE %s", q.cond("y", 1), q.cond("x", 1))
	case 5:
		return fmt.Sprintf("SELECT x.i, count(*), min(x.s), max(x.d) FROM t x WHERE %s GROUP BY x.i HAVING x.i > %s", c("x"), q.literal("i"))
	case 6:
		return fmt.Sprintf("SELECT x.id FROM t x WHERE %s AND x.i %s (SELECT y.i FROM u y WHERE y.i IS NOT NULL AND %s)", q.cond("x", 1), q.pick("IN", "NOT IN"), c("y"))
	case 7:
		return fmt.Sprintf("SELECT x.id FROM t x WHERE %s EXISTS (SELECT 1 FROM u y WHERE y.i = x.i AND %s) AND %s", q.pick("", "NOT"), q.cond("y", 1), q.cond("x", 1))
	case 8:
		return fmt.Sprintf("SELECT x.id FROM (SELECT * FROM t ORDER BY id LIMIT 40) x WHERE %s", c("x"))
	case 9:
		return fmt.Sprintf("SELECT x.id, x.rn FROM (SELECT *, row_number() OVER (PARTITION BY i ORDER BY id) AS rn FROM t) x WHERE %s AND x.rn < 4", c("x"))
	case 10:
		return fmt.Sprintf("SELECT DISTINCT x.i, x.p, x.q FROM (SELECT DISTINCT * FROM t) x WHERE %s", c("x"))
	case 11:
		return fmt.Sprintf("SELECT x.id, e FROM t x LATERAL VIEW explode(array(x.i, 1)) v AS e WHERE e = 1 AND %s", c("x"))
	}
	return fmt.Sprintf("SELECT * FROM t x WHERE %s", q.cond("x", q.rng.IntN(4)))
}

// unpruned reads all files of a scan's table.
func (r *rig) unpruned(s *plan.Scan) (query.Input, error) {
	return query.Files(context.Background(), s.Source.Handle.(*query.Handle).Snapshot, r.tabs)
}

func TestPruningChangesNoResult(t *testing.T) {
	r := newRig(t, t.TempDir())
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	var ts, us []arrow.RecordBatch
	for f := range 6 {
		ts = append(ts, randomBatch(rng, int64(f*8), 8))
		us = append(us, randomBatch(rng, int64(100+f*4), 4))
	}
	r.create("t", wide, []delta.Option{delta.WithPartitionBy("p", "q")}, ts...)
	r.create("u", wide, nil, us...)
	q := queries{rng}
	all, read, some := 0, 0, 0
	n := 240
	if testing.Short() {
		n = 50
	}
	for range n {
		sql := q.next()
		node, err := r.plan(sql)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		want, err := r.run(node, r.unpruned)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		inputs := query.Inputs(context.Background(), node, r.tabs)
		got, err := r.run(node, func(s *plan.Scan) (query.Input, error) {
			whole, err := r.unpruned(s)
			if err != nil {
				return whole, err
			}
			in, err := inputs(s)
			all, read = all+len(whole.Files), read+len(in.Files)
			return in, err
		})
		if err != nil {
			t.Errorf("pruned: %s: %v", sql, err)
			continue
		}
		if len(want) > 0 {
			some++
		}
		if !slices.Equal(oneZero(got), oneZero(want)) {
			t.Errorf("%s:\npruned   %q\nunpruned %q", sql, got, want)
		}
	}
	t.Logf("read %d of %d files; %d of %d queries gave rows", read, all, some, n)
	if read > all*49/50 || some < n/4 {
		t.Errorf("the test prunes or finds too little: %d of %d files read, %d of %d queries gave rows", read, all, some, n)
	}
}

// oneZero makes -0 and 0, which are equal and of which min takes the first it
// meets, one.
func oneZero(rows []string) []string {
	for i, r := range rows {
		cells := strings.Split(r, "|")
		for j, c := range cells {
			if c == "-0" {
				cells[j] = "0"
			}
		}
		rows[i] = strings.Join(cells, "|")
	}
	slices.Sort(rows)
	return rows
}

package duck

import (
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/internal/duck/kernel"
)

const benchRows = 1 << 20

func benchBatches(b *testing.B) (*arrow.Schema, []arrow.RecordBatch) {
	b.Helper()
	var fs []arrow.Field
	for i := range 8 {
		fs = append(fs, arrow.Field{Name: fmt.Sprintf("d%d", i), Type: arrow.PrimitiveTypes.Float64})
	}
	fs = append(fs, arrow.Field{Name: "id", Type: arrow.PrimitiveTypes.Int64}, arrow.Field{Name: "s", Type: arrow.BinaryTypes.String})
	s := arrow.NewSchema(fs, nil)
	rb := array.NewRecordBuilder(Allocator(), s)
	defer rb.Release()
	var out []arrow.RecordBatch
	for lo := 0; lo < benchRows; lo += 1 << 16 {
		for i := range 1 << 16 {
			for f := range 8 {
				rb.Field(f).(*array.Float64Builder).Append(float64(lo+i) * 0.37)
			}
			rb.Field(8).(*array.Int64Builder).Append(int64(lo + i))
			rb.Field(9).(*array.StringBuilder).Append(fmt.Sprintf("device-%06d-of-plant", i%5000))
		}
		rec := rb.NewRecordBatch()
		b.Cleanup(rec.Release)
		out = append(out, rec)
	}
	return s, out
}

// cpu is the CPU time of the process: on a busy machine it says more than the
// clock.
func cpu() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

func perRow(b *testing.B, rows int, since int64) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
	b.ReportMetric(float64(cpu()-since)/float64(b.N)/float64(rows), "cpu-ns/row")
}

func BenchmarkScan(b *testing.B) {
	c := get(b, open(b, Config{Instances: 1, Threads: 1}))
	s, bs := benchBatches(b)
	for _, k := range []struct{ name, sql string }{
		{"count", "SELECT count(*) FROM %s"},
		{"sum3", "SELECT sum(d0), sum(d1), max(id) FROM %s"},
		{"filter", "SELECT count(*) FROM %s WHERE d0 > 1000 AND s = 'device-000007-of-plant'"},
		{"ctas10", "CREATE OR REPLACE TABLE t AS SELECT * FROM %s"},
	} {
		b.Run(k.name, func(b *testing.B) {
			from, release, err := c.Bind(Batches(s, bs))
			if err != nil {
				b.Fatal(err)
			}
			defer release()
			since := cpu()
			for b.Loop() {
				if err := c.Exec(b.Context(), fmt.Sprintf(k.sql, from)); err != nil {
					b.Fatal(err)
				}
			}
			perRow(b, benchRows, since)
		})
	}
}

func drainRows(b *testing.B, c *Conn, sql string) {
	b.Helper()
	r, err := c.Query(b.Context(), sql)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			b.Fatal(err)
		}
		rec.Release()
	}
}

func BenchmarkRead(b *testing.B) {
	c := get(b, open(b, Config{Instances: 1, Threads: 1}))
	for _, k := range []struct{ name, sql string }{
		{"bigint", "SELECT i FROM range(1048576) t(i)"},
		{"bigint+text", "SELECT i, i::VARCHAR || 'aaaaaaaaaaaaaaaaaaaaaaaa' s FROM range(1048576) t(i)"},
	} {
		b.Run(k.name, func(b *testing.B) {
			since := cpu()
			for b.Loop() {
				drainRows(b, c, k.sql)
			}
			perRow(b, benchRows, since)
		})
	}
}

// BenchmarkThrough is a micro-batch: in, a projection, out.
func BenchmarkThrough(b *testing.B) {
	c := get(b, open(b, Config{Instances: 1, Threads: 1}))
	s, bs := benchBatches(b)
	for _, rows := range []int64{1000, 10000, 65536} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			rec := bs[0].NewSlice(0, rows)
			defer rec.Release()
			since := cpu()
			for b.Loop() {
				from, release, err := c.Bind(Batches(s, []arrow.RecordBatch{rec}))
				if err != nil {
					b.Fatal(err)
				}
				drainRows(b, c, "SELECT *, d0 * 2 > 5 AS ok FROM "+from)
				release()
			}
			perRow(b, int(rows), since)
		})
	}
}

func BenchmarkKernels(b *testing.B) {
	c := get(b, open(b, Config{Instances: 1, Threads: 1}))
	schema := `{"type":"struct","fields":[{"name":"device","type":"string"},{"name":"ts","type":"timestamp"},{"name":"temperature","type":"double"},{"name":"pressure","type":"double"},{"name":"rpm","type":"integer"},{"name":"seq","type":"long"}]}`
	if err := c.Exec(b.Context(), `CREATE TABLE t AS SELECT i, i*0.37 d, (i*0.37)::FLOAT f, 'device-' || i || ' temp=21.5' s, (i/100)::DECIMAL(18,4) a, (i%97+1)::DECIMAL(9,2) q,
		make_timestamptz(1700000000000000 + i*1000001) ts, strftime(make_timestamp(1700000000000000 + i*1000001), '%Y-%m-%d %H:%M:%S') st, {'a': i, 'b': 'text ' || i, 'c': i*0.5} n,
		'{"device":"press-' || (i%100) || '","ts":"2024-01-02T03:04:05.678Z","temperature":' || (i%1000)/10 || ',"pressure":1013.2,"rpm":1200,"seq":' || i || '}' j
		FROM range(1048576) r(i)`); err != nil {
		b.Fatal(err)
	}
	for _, k := range []struct {
		name, sql string
		spec      kernel.Spec
	}{
		{"scan_double", "SELECT sum(d) FROM t", kernel.Spec{}},
		{"scan_text", "SELECT sum(length(s)) FROM t", kernel.Spec{}},
		{"from_json", "SELECT count(k(j).seq) FROM t", kernel.Spec{Kind: "from_json", Args: []string{"VARCHAR"}, Return: "STRUCT(device VARCHAR, ts TIMESTAMPTZ, temperature DOUBLE, pressure DOUBLE, rpm INT, seq BIGINT)", Params: []byte(`{"schema":` + schema + `}`)}},
		{"double_to_string", "SELECT max(k(d)) FROM t", kernel.Spec{Kind: "double_to_string", Args: []string{"DOUBLE"}, Return: "VARCHAR"}},
		{"date_format", "SELECT max(k(ts)) FROM t", kernel.Spec{Kind: "date_format", Args: []string{"TIMESTAMPTZ"}, Return: "VARCHAR", Params: []byte(`{"pattern":"yyyy-MM-dd HH:mm:ss"}`)}},
		{"date_format_paris", "SELECT max(k(ts)) FROM t", kernel.Spec{Kind: "date_format", Args: []string{"TIMESTAMPTZ"}, Return: "VARCHAR", Params: []byte(`{"pattern":"yyyy-MM-dd HH:mm:ss","zone":"Europe/Paris"}`)}},
		{"parse_timestamp", "SELECT max(k(st)) FROM t", kernel.Spec{Kind: "parse_timestamp", Args: []string{"VARCHAR"}, Return: "TIMESTAMPTZ", Params: []byte(`{"pattern":"yyyy-MM-dd HH:mm:ss"}`)}},
		{"string_to_timestamp", "SELECT max(k(st)) FROM t", kernel.Spec{Kind: "string_to_timestamp", Args: []string{"VARCHAR"}, Return: "TIMESTAMPTZ"}},
		{"regexp_extract", "SELECT max(k(s)) FROM t", kernel.Spec{Kind: "regexp_extract", Args: []string{"VARCHAR"}, Return: "VARCHAR", Params: []byte(`{"pattern":"([a-z]+)-(\\d+)","group":2}`)}},
		{"regexp_lookbehind", "SELECT max(k(s)) FROM t", kernel.Spec{Kind: "regexp_extract", Args: []string{"VARCHAR"}, Return: "VARCHAR", Params: []byte(`{"pattern":"(?<=temp=)([0-9.]+)","group":1}`)}},
		{"split", "SELECT sum(len(k(s))) FROM t", kernel.Spec{Kind: "split", Args: []string{"VARCHAR"}, Return: "VARCHAR[]", Params: []byte(`{"pattern":"-"}`)}},
		{"decimal_div", "SELECT max(k(a, q)) FROM t", kernel.Spec{Kind: "decimal_div", Args: []string{"DECIMAL(18,4)", "DECIMAL(9,2)"}, Return: "DECIMAL(30,14)"}},
		{"get_json_object", "SELECT max(k(j)) FROM t", kernel.Spec{Kind: "get_json_object", Args: []string{"VARCHAR"}, Return: "VARCHAR", Params: []byte(`{"path":"$.rpm"}`)}},
		{"to_json", "SELECT max(k(n)) FROM t", kernel.Spec{Kind: "to_json", Args: []string{"STRUCT(a BIGINT, b VARCHAR, c DECIMAL(21,1))"}, Return: "VARCHAR"}},
		{"xxhash64_bigint", "SELECT max(k(i)) FROM t", kernel.Spec{Kind: "xxhash64", Args: []string{"BIGINT"}, Return: "BIGINT"}},
		{"hash_text", "SELECT max(k(s)) FROM t", kernel.Spec{Kind: "hash", Args: []string{"VARCHAR"}, Return: "INTEGER"}},
	} {
		b.Run(k.name, func(b *testing.B) {
			sql := k.sql
			if k.spec.Kind != "" {
				k.spec.Name = "bench_" + k.name
				if err := c.Register(k.spec); err != nil {
					b.Fatal(err)
				}
				sql = "SELECT " + replaceCall(k.sql[len("SELECT "):], k.spec.Name)
			}
			since := cpu()
			for b.Loop() {
				if err := c.Exec(b.Context(), sql); err != nil {
					b.Fatal(err)
				}
			}
			perRow(b, benchRows, since)
		})
	}
}

// replaceCall puts the name of a kernel for k.
func replaceCall(sql, name string) string {
	for i := range sql {
		if sql[i] == 'k' && sql[i+1] == '(' && (i == 0 || sql[i-1] == '(') {
			return sql[:i] + name + sql[i+1:]
		}
	}
	return sql
}

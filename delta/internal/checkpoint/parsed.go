package checkpoint

import (
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// parsedStats is the column of statistics as a struct, which checkpoints have
// besides their JSON text, or instead of it (delta.checkpoint.writeStatsAsJson).
const parsedStats = "add.stats_parsed"

// statsMissing tells whether a row group has statistics as a struct only.
func statsMissing(rg *file.RowGroupReader, ps *schema.Schema) bool {
	parsed := false
	for i := range ps.NumColumns() {
		switch path := ps.Column(i).Path(); {
		case path == "add.stats":
			md, err := rg.MetaData().ColumnChunk(i)
			if err != nil {
				return false
			}
			st, err := md.Statistics()
			if err != nil || st == nil || !st.HasNullCount() || st.NullCount() < md.NumValues() {
				return false
			}
		case strings.HasPrefix(path, parsedStats+"."):
			parsed = true
		}
	}
	return parsed
}

// statNode is a member of the statistics' JSON: an object or a column.
type statNode struct {
	name string
	kids []*statNode
	leaf *leaf
	col  *schema.Column
}

// statTree puts the leaves of the struct together.
func statTree(c columns, ps *schema.Schema) *statNode {
	root := &statNode{}
	for i := range ps.NumColumns() {
		col := ps.Column(i)
		l := c.at(col.Path())
		if l == nil || l.maxRep > 0 || !strings.HasPrefix(col.Path(), parsedStats+".") {
			continue
		}
		n := root
		for _, name := range col.ColumnPath()[2:] {
			at := slices.IndexFunc(n.kids, func(k *statNode) bool { return k.name == name })
			if at < 0 {
				at = len(n.kids)
				n.kids = append(n.kids, &statNode{name: name})
			}
			n = n.kids[at]
		}
		n.leaf, n.col = l, col
	}
	return root
}

// text is the JSON of the current row, "" where it says nothing.
func (n *statNode) text() string {
	b, ok := n.append(nil)
	if !ok {
		return ""
	}
	return string(b)
}

func (n *statNode) append(b []byte) ([]byte, bool) {
	if n.leaf != nil {
		if !n.leaf.there() {
			return b, false
		}
		return appendStat(b, n.leaf.items[0], n.col)
	}
	start, some := len(b), false
	b = append(b, '{')
	for _, k := range n.kids {
		mark := len(b)
		if some {
			b = append(b, ',')
		}
		b = append(strconv.AppendQuote(b, k.name), ':')
		var ok bool
		if b, ok = k.append(b); !ok {
			b = b[:mark]
			continue
		}
		some = true
	}
	if !some {
		return b[:start], false
	}
	return append(b, '}'), true
}

// appendStat writes a value as the statistics' JSON has it.
func appendStat(b []byte, it item, col *schema.Column) ([]byte, bool) {
	if d, ok := col.LogicalType().(schema.DecimalLogicalType); ok {
		v := big.NewInt(it.n)
		switch col.PhysicalType() {
		case parquet.Types.FixedLenByteArray, parquet.Types.ByteArray:
			v = twosComplement(it.s)
		}
		return append(b, decimalText(v, int(d.Scale()))...), true
	}
	switch col.PhysicalType() {
	case parquet.Types.Boolean:
		return strconv.AppendBool(b, it.n == 1), true
	case parquet.Types.Float:
		return appendFloat(b, it.f, 32), true
	case parquet.Types.Double:
		return appendFloat(b, it.f, 64), true
	case parquet.Types.ByteArray:
		if q, err := json.Marshal(it.s); err == nil {
			return append(b, q...), true
		}
		return b, false
	case parquet.Types.Int32:
		if _, ok := col.LogicalType().(schema.DateLogicalType); ok {
			return append(b, time.Unix(it.n*86400, 0).UTC().Format(`"2006-01-02"`)...), true
		}
		return strconv.AppendInt(b, it.n, 10), true
	case parquet.Types.Int96:
		return appendMicros(b, it.n, true), true
	case parquet.Types.Int64:
		if ts, ok := col.LogicalType().(schema.TimestampLogicalType); ok {
			us := it.n
			switch ts.TimeUnit() {
			case schema.TimeUnitMillis:
				us *= 1000
			case schema.TimeUnitNanos:
				us /= 1000
			}
			return appendMicros(b, us, ts.IsAdjustedToUTC()), true
		}
		return strconv.AppendInt(b, it.n, 10), true
	}
	return b, false
}

func appendMicros(b []byte, us int64, utc bool) []byte {
	layout := `"2006-01-02T15:04:05.000000"`
	if utc {
		layout = `"2006-01-02T15:04:05.000000Z"`
	}
	return append(b, time.UnixMicro(us).UTC().Format(layout)...)
}

func appendFloat(b []byte, f float64, bits int) []byte {
	switch s := strconv.FormatFloat(f, 'g', -1, bits); s {
	case "NaN":
		return append(b, `"NaN"`...)
	case "+Inf":
		return append(b, `"Infinity"`...)
	case "-Inf":
		return append(b, `"-Infinity"`...)
	default:
		return append(b, s...)
	}
}

func twosComplement(s string) *big.Int {
	v := new(big.Int).SetBytes([]byte(s))
	if len(s) > 0 && s[0]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(s))))
	}
	return v
}

func decimalText(v *big.Int, scale int) string {
	s := new(big.Int).Abs(v).String()
	if scale > 0 {
		if len(s) <= scale {
			s = strings.Repeat("0", scale+1-len(s)) + s
		}
		s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	}
	if v.Sign() < 0 {
		s = "-" + s
	}
	return s
}

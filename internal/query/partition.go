package query

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	arrowscalar "github.com/apache/arrow-go/v18/arrow/scalar"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// partitionColumns are a table's partition columns as its schema spells them.
func partitionColumns(s *delta.Snapshot) []string {
	names := slices.Clone(s.Metadata().PartitionColumns)
	for i, n := range names {
		for _, f := range s.Schema().Fields() {
			if strings.EqualFold(f.Name, n) {
				names[i] = f.Name
			}
		}
	}
	return names
}

// partitionTexts are a file's partition values for partitionSQL.
func partitionTexts(s *delta.Snapshot, a delta.Add, columns []string) (map[string]string, error) {
	if len(columns) == 0 {
		return nil, nil
	}
	out := make(map[string]string, len(columns))
	for _, c := range columns {
		v, err := s.PartitionValue(a, c)
		if err != nil {
			return nil, err
		}
		out[c] = partitionText(v)
	}
	return out, nil
}

// partitionText is a value in a form that reads alike everywhere: dates as days
// and times as microseconds since the epoch, bytes in base64.
func partitionText(v arrowscalar.Scalar) string {
	if !v.IsValid() {
		return ""
	}
	switch v := v.(type) {
	case *arrowscalar.Date32:
		return strconv.FormatInt(int64(v.Value), 10)
	case *arrowscalar.Timestamp:
		return strconv.FormatInt(int64(v.Value), 10)
	case *arrowscalar.Binary:
		return base64.StdEncoding.EncodeToString(v.Data())
	case *arrowscalar.String:
		return string(v.Data())
	case *arrowscalar.Float32:
		return strconv.FormatFloat(float64(v.Value), 'g', -1, 32)
	case *arrowscalar.Float64:
		return strconv.FormatFloat(v.Value, 'g', -1, 64)
	}
	return v.String()
}

// partitionSQL is the value of DuckDB's type duckType behind a partitionText.
func partitionSQL(t types.Type, duckType, text string) string {
	switch t {
	case types.String:
		return text
	case types.Binary:
		return "from_base64(" + text + ")"
	case types.Date:
		return "(DATE '1970-01-01' + CAST(" + text + " AS INTEGER))"
	case types.TimestampNTZ:
		return "make_timestamp(CAST(" + text + " AS BIGINT))"
	case types.Timestamp:
		return "make_timestamptz(CAST(" + text + " AS BIGINT))"
	}
	return fmt.Sprintf("CAST(%s AS %s)", text, duckType)
}

// partitionLiteral is a partitionText as a literal; a NUL character cannot
// stand in one.
func partitionLiteral(text string) string {
	if text == "" {
		return "CAST(NULL AS VARCHAR)"
	}
	if !strings.Contains(text, "\x00") {
		return str(text)
	}
	return "decode(from_base64('" + base64.StdEncoding.EncodeToString([]byte(text)) + "'))"
}

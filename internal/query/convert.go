package query

import (
	"context"
	"errors"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// convert is CONVERT TO DELTA: a table over the Parquet files at a path.
func (e *Engine) convert(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	format := strings.ToLower(c.Name[0])
	path := c.Name[len(c.Name)-1]
	if len(c.Name) != 2 || !isPath(path) || format != "delta" && !analyze.FileFormat(format) {
		t, err := e.table(ctx, sess, c)
		switch {
		case err != nil:
			return nil, err
		case t.Type == catalog.View:
			return nil, fault(c.Pos, "DELTA_CONVERT_NON_PARQUET_TABLE", "0AKDC", t.FullName()+" is a view; only Parquet files are converted.", "")
		case ofFiles(t):
			return nil, fault(c.Pos, "UNSUPPORTED_FEATURE.CONVERT", "0A000", t.FullName()+" is no folder of Parquet files.", "Write CONVERT TO DELTA parquet.`path`.")
		}
		return &Result{}, nil // it is one
	}
	if format != "parquet" && format != "delta" {
		return nil, fault(c.Pos, "DELTA_CONVERT_NON_PARQUET_TABLE", "0AKDC", "only Parquet files are converted, not "+format+".", "")
	}
	p, err := e.cfg.Tables.place(path)
	if err != nil {
		return nil, e.cfg.Tables.outside(path)
	}
	opt := delta.ConvertOptions{NoStatistics: c.Args["no statistics"] == "true"}
	if opt.PartitionBy, err = partitionFields(c.Args["partition"]); err != nil {
		return nil, err
	}
	_, err = delta.ConvertFromParquet(ctx, p.root.Store, p.key, opt, e.cfg.Tables.Options()...)
	return &Result{}, convertError(c, path, err)
}

func partitionFields(ddl string) ([]arrow.Field, error) {
	if ddl == "" {
		return nil, nil
	}
	fields, err := parse.Schema(ddl)
	if err != nil {
		return nil, err
	}
	return types.ArrowFields(fields)
}

func convertError(c *plan.Command, path string, err error) error {
	switch {
	case errors.Is(err, delta.ErrNoParquet):
		return fault(c.Pos, "DELTA_DIRECTORY_NOT_FOUND", "42K03", "there are no Parquet files at "+path+".", "")
	case errors.Is(err, delta.ErrPartitions):
		return fault(c.Pos, "DELTA_UNEXPECTED_NUM_PARTITION_COLUMNS_FROM_FILE_NAME", "KD009", err.Error()+".", "Name all of them with their types: PARTITIONED BY (year INT, ...).")
	case errors.Is(err, delta.ErrSchemaMismatch):
		return fault(c.Pos, "DELTA_FAILED_TO_MERGE_FIELDS", "22005", err.Error()+".", "")
	}
	return err
}

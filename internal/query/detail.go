package query

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func nullables(names []string, t types.Type) []types.Field {
	out := make([]types.Field, len(names))
	for i, n := range names {
		out[i] = types.Field{Name: n, Type: t, Nullable: true}
	}
	return out
}

var textMap = types.Map{Key: types.String, Value: types.String, ValueContainsNull: true}

// historyFields are the columns of DESCRIBE HISTORY.
func historyFields() []types.Field {
	job := types.Struct{Fields: nullables([]string{"jobId", "jobName", "jobRunId", "runId", "jobOwnerId", "triggerType"}, types.String)}
	notebook := types.Struct{Fields: nullables([]string{"notebookId"}, types.String)}
	return []types.Field{
		{Name: "version", Type: types.BigInt, Nullable: true}, {Name: "timestamp", Type: types.Timestamp, Nullable: true},
		{Name: "userId", Type: types.String, Nullable: true}, {Name: "userName", Type: types.String, Nullable: true},
		{Name: "operation", Type: types.String, Nullable: true}, {Name: "operationParameters", Type: textMap, Nullable: true},
		{Name: "job", Type: job, Nullable: true}, {Name: "notebook", Type: notebook, Nullable: true},
		{Name: "clusterId", Type: types.String, Nullable: true}, {Name: "readVersion", Type: types.BigInt, Nullable: true},
		{Name: "isolationLevel", Type: types.String, Nullable: true}, {Name: "isBlindAppend", Type: types.Boolean, Nullable: true},
		{Name: "operationMetrics", Type: textMap, Nullable: true}, {Name: "userMetadata", Type: types.String, Nullable: true},
		{Name: "engineInfo", Type: types.String, Nullable: true},
	}
}

// history is DESCRIBE HISTORY.
func (e *Engine) history(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	t, err := e.deltaTable(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	d, err := e.cfg.Tables.Open(ctx, t)
	if err != nil {
		return nil, err
	}
	limit := 0
	if n, err := strconv.Atoi(c.Args["limit"]); err == nil {
		limit = n
	}
	h, err := d.History(ctx, limit)
	if err != nil {
		return nil, err
	}
	if c.Args["limit"] == "0" {
		h = nil
	}
	rows := make([]map[string]any, len(h))
	for i, k := range h {
		rows[i] = map[string]any{
			"version": k.Version, "timestamp": arrowTime(k.Time), "userName": orNull(k.Info.UserName), "operation": orNull(k.Info.Operation),
			"operationParameters": entries(k.Info.OperationParameters), "readVersion": k.Info.ReadVersion, "isolationLevel": orNull(k.Info.IsolationLevel),
			"isBlindAppend": k.Info.IsBlindAppend, "operationMetrics": entries(k.Info.OperationMetrics), "engineInfo": orNull(k.Info.EngineInfo),
		}
	}
	return jsonResult(historyFields(), rows...)
}

func arrowTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// deltaTable finds a table for DESCRIBE HISTORY and DETAIL; views have neither.
func (e *Engine) deltaTable(ctx context.Context, sess *Session, c *plan.Command) (catalog.Table, error) {
	if e.temporaryNamed(sess, c.Name) != nil {
		return catalog.Table{}, fault(c.Pos, "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "42809", strings.Join(c.Name, ".")+" is a view; "+strings.ToUpper(c.Verb)+" is for tables.", "")
	}
	t, err := e.table(ctx, sess, c)
	if err != nil {
		return t, err
	}
	if t.Type == catalog.View {
		return t, &sparksql.Error{
			Class: "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", SQLState: "42809", Phase: sparksql.PhaseAnalysis, Pos: c.Pos,
			Message: t.FullName() + " is a view; " + strings.ToUpper(c.Verb) + " is for tables.",
		}
	}
	if ofFiles(t) {
		return t, &sparksql.Error{
			Class: "DELTA_ONLY_OPERATION", SQLState: "0AKDD", Phase: sparksql.PhaseAnalysis, Pos: c.Pos,
			Message: t.FullName() + " is no Delta table; " + strings.ToUpper(c.Verb) + " is for those.",
		}
	}
	return t, nil
}

// detailFields are the columns of DESCRIBE DETAIL.
func detailFields() []types.Field {
	list := types.Array{Elem: types.String, ContainsNull: true}
	return []types.Field{
		{Name: "format", Type: types.String, Nullable: true}, {Name: "id", Type: types.String, Nullable: true}, {Name: "name", Type: types.String, Nullable: true},
		{Name: "description", Type: types.String, Nullable: true}, {Name: "location", Type: types.String, Nullable: true},
		{Name: "createdAt", Type: types.Timestamp, Nullable: true}, {Name: "lastModified", Type: types.Timestamp, Nullable: true},
		{Name: "partitionColumns", Type: list, Nullable: true}, {Name: "clusteringColumns", Type: list, Nullable: true},
		{Name: "numFiles", Type: types.BigInt, Nullable: true}, {Name: "sizeInBytes", Type: types.BigInt, Nullable: true},
		{Name: "properties", Type: textMap, Nullable: true}, {Name: "minReaderVersion", Type: types.Int, Nullable: true},
		{Name: "minWriterVersion", Type: types.Int, Nullable: true}, {Name: "tableFeatures", Type: list, Nullable: true},
	}
}

// detail is DESCRIBE DETAIL.
func (e *Engine) detail(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	if t, err := e.table(ctx, sess, c); err == nil && ofFiles(t) {
		row, err := e.fileDetail(t)
		if err != nil {
			return nil, err
		}
		return jsonResult(detailFields(), row)
	}
	t, err := e.deltaTable(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	d, s, err := e.snapshot(ctx, t)
	if err != nil {
		return nil, err
	}
	m, p := s.Metadata(), s.Protocol()
	cluster := []string{}
	for _, path := range s.ClusterBy() {
		cluster = append(cluster, strings.Join(path, "."))
	}
	var description any
	if m.Described || m.Description != "" {
		description = m.Description
	}
	return jsonResult(detailFields(), map[string]any{
		"format": "delta", "id": m.ID, "name": t.FullName(), "description": description, "location": e.cfg.Tables.Location(d),
		"createdAt": arrowTime(time.UnixMilli(m.CreatedTime)), "lastModified": arrowTime(s.Timestamp()),
		"partitionColumns": append([]string{}, m.PartitionColumns...), "clusteringColumns": cluster,
		"numFiles": s.NumFiles(), "sizeInBytes": s.Bytes(), "properties": entries(m.Configuration),
		"minReaderVersion": p.MinReaderVersion, "minWriterVersion": p.MinWriterVersion, "tableFeatures": delta.Features(p),
	})
}

// isConflict tells whether a statement lost against another writer, so that it
// may be tried again on the table as it is now.
func isConflict(err error) bool { return errors.Is(err, delta.ErrConflict) }

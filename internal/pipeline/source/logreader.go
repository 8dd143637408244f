package source

import (
	"context"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/internal/eventlog"
	"github.com/marisma/marisma/internal/jsonarrow"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Bounds of one Arrow batch. Offsets of a binary column are 32 bits, far above.
const (
	batchRows  = 16 << 10
	batchBytes = 4 << 20
)

// Ordinals of KafkaColumns.
const (
	colKey = iota
	colValue
	colTopic
	colPartition
	colOffset
	colTimestamp
	colTimestampType
	colHeaders
)

// LogReader yields a range of the log as Arrow batches. It is for one
// goroutine at a time.
type LogReader struct {
	log     EventLog
	topic   string
	from    []int64 // what is still to be read, per partition
	to      []int64
	part    int
	full    []arrow.Field
	fixed   int // of full; the others are parsed from the values
	json    []JSONColumn
	columns []int // projected, ordinals of full
	whole   *arrow.Schema
	schema  *arrow.Schema // of the batches
	parsers []*jsonarrow.Parser
	alloc   memory.Allocator
	rows    int64 // of the whole range
}

func newLogReader(log EventLog, topic string, headers bool, from, to []int64, alloc memory.Allocator, parsed []JSONColumn) *LogReader {
	fields, err := types.ArrowFields(KafkaColumns(headers))
	if err != nil {
		// The columns are fixed and all have a mapping; an empty schema would
		// show at once as a mismatch of columns.
		fields = nil
	}
	r := &LogReader{
		log: log, topic: topic, from: append([]int64(nil), from...), to: to, fixed: len(fields), alloc: alloc,
		json: parsed, parsers: make([]*jsonarrow.Parser, len(parsed)),
	}
	for i := range parsed {
		fields = append(fields, parsed[i].field())
	}
	r.full = fields
	r.whole = arrow.NewSchema(fields, nil)
	for i := range to {
		r.rows += to[i] - from[i]
	}
	all := make([]int, len(fields))
	for i := range all {
		all[i] = i
	}
	r.Project(all)
	return r
}

// Project chooses the columns of the batches, by their places in
// KafkaColumns; it is called before the first Next.
func (r *LogReader) Project(columns []int) {
	r.columns = columns
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = r.full[c]
	}
	r.schema = arrow.NewSchema(fields, nil)
}

// Schema has all columns, before any projection.
func (r *LogReader) Schema() *arrow.Schema { return r.whole }

// Rows is the number of records of the range.
func (r *LogReader) Rows() int64 { return r.rows }

// Next gives the next batch, io.EOF after the last. The caller releases it.
func (r *LogReader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	b, err := r.newBatch()
	if err != nil {
		return nil, err
	}
	defer b.release()
	read := r.log.ReadBare
	if b.headers != nil {
		read = r.log.Read
	}
	for b.rows < batchRows && b.bytes < batchBytes && r.part < len(r.to) {
		from, to := r.from[r.part], r.to[r.part]
		if from >= to {
			r.part++
			continue
		}
		next := from
		part := int32(r.part)
		err := read(ctx, r.part, from, to, func(offset int64, rec *eventlog.Record) bool {
			b.add(part, offset, rec)
			next = offset + 1
			return b.rows < batchRows && b.bytes < batchBytes
		})
		if err != nil {
			return nil, fmt.Errorf("partition %d of the log from offset %d: %w", r.part, from, err)
		}
		if next == from {
			return nil, fmt.Errorf("%w: partition %d of the log holds nothing from offset %d to %d", ErrLost, r.part, from, to)
		}
		r.from[r.part] = next
	}
	if b.rows == 0 {
		return nil, io.EOF
	}
	return b.finish(r.schema), nil
}

// left is the number of records still to be read.
func (r *LogReader) left() (n int64) {
	for i, to := range r.to {
		n += to - r.from[i]
	}
	return n
}

// logBatch builds one Arrow batch; builders of columns that are not read are nil.
type logBatch struct {
	columns     []batchColumn
	parsers     []*jsonarrow.Parser
	key, value  *array.BinaryBuilder
	topic       *array.StringBuilder
	partition   *array.Int32Builder
	offset      *array.Int64Builder
	timestamp   *array.TimestampBuilder
	tsType      *array.Int32Builder
	headers     *array.ListBuilder
	header      *array.StructBuilder
	headerKey   *array.StringBuilder
	headerValue *array.BinaryBuilder
	topicName   string
	rows, bytes int
}

// batchColumn is a column's builder, or its parser.
type batchColumn struct {
	builder array.Builder
	parser  *jsonarrow.Parser
}

func (r *LogReader) newBatch() (*logBatch, error) {
	b := &logBatch{topicName: r.topic}
	room := int(min(r.left(), batchRows))
	for i, c := range r.columns {
		if c >= r.fixed {
			p, err := r.parser(c - r.fixed)
			if err != nil {
				b.release()
				return nil, err
			}
			b.columns = append(b.columns, batchColumn{parser: p})
			b.parsers = append(b.parsers, p)
			continue
		}
		f := array.NewBuilder(r.alloc, r.schema.Field(i).Type)
		f.Reserve(room)
		b.columns = append(b.columns, batchColumn{builder: f})
		b.take(c, f)
	}
	return b, nil
}

// parser is the reader's parser of a parsed column.
func (r *LogReader) parser(i int) (*jsonarrow.Parser, error) {
	if r.parsers[i] == nil {
		p, err := r.json[i].parser()
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", r.json[i].Name, err)
		}
		r.parsers[i] = p
	}
	return r.parsers[i], nil
}

// take notes the builder of a column of KafkaColumns.
func (b *logBatch) take(column int, f array.Builder) {
	switch column {
	case colKey:
		b.key, _ = f.(*array.BinaryBuilder)
	case colValue:
		b.value, _ = f.(*array.BinaryBuilder)
	case colTopic:
		b.topic, _ = f.(*array.StringBuilder)
	case colPartition:
		b.partition, _ = f.(*array.Int32Builder)
	case colOffset:
		b.offset, _ = f.(*array.Int64Builder)
	case colTimestamp:
		b.timestamp, _ = f.(*array.TimestampBuilder)
	case colTimestampType:
		b.tsType, _ = f.(*array.Int32Builder)
	case colHeaders:
		b.headers, _ = f.(*array.ListBuilder)
		b.header, _ = b.headers.ValueBuilder().(*array.StructBuilder)
		b.headerKey, _ = b.header.FieldBuilder(0).(*array.StringBuilder)
		b.headerValue, _ = b.header.FieldBuilder(1).(*array.BinaryBuilder)
	}
}

// finish gives the rows.
func (b *logBatch) finish(schema *arrow.Schema) arrow.RecordBatch {
	arrs := make([]arrow.Array, len(b.columns))
	for i, c := range b.columns {
		if c.parser != nil {
			arrs[i] = c.parser.Finish()
		} else {
			arrs[i] = c.builder.NewArray()
		}
		defer arrs[i].Release()
	}
	return array.NewRecordBatch(schema, arrs, int64(b.rows))
}

// release frees what was not handed on.
func (b *logBatch) release() {
	for _, c := range b.columns {
		if c.parser != nil {
			c.parser.Finish().Release()
		} else {
			c.builder.Release()
		}
	}
}

func (b *logBatch) add(partition int32, offset int64, r *eventlog.Record) {
	b.rows++
	b.bytes += 32
	for _, p := range b.parsers {
		parse(p, r.Value)
		b.bytes += len(r.Value)
	}
	if b.key != nil {
		appendBinary(b.key, r.Key)
		b.bytes += len(r.Key)
	}
	if b.value != nil {
		appendBinary(b.value, r.Value)
		b.bytes += len(r.Value)
	}
	if b.topic != nil {
		b.topic.Append(b.topicName)
		b.bytes += len(b.topicName)
	}
	if b.partition != nil {
		b.partition.Append(partition)
	}
	if b.offset != nil {
		b.offset.Append(offset)
	}
	if b.timestamp != nil {
		b.timestamp.Append(arrow.Timestamp(r.Timestamp * 1000))
	}
	if b.tsType != nil {
		b.tsType.Append(0) // CreateTime
	}
	if b.headers != nil {
		b.addHeaders(r.Headers)
	}
}

// addHeaders adds NULL where there are none, as Spark does.
func (b *logBatch) addHeaders(headers []eventlog.Header) {
	if len(headers) == 0 {
		b.headers.AppendNull()
		return
	}
	b.headers.Append(true)
	for _, h := range headers {
		b.header.Append(true)
		b.headerKey.Append(h.Key)
		appendBinary(b.headerValue, h.Value)
		b.bytes += len(h.Key) + len(h.Value) + 16
	}
}

// appendBinary adds NULL for nil; an empty value stays empty.
func appendBinary(b *array.BinaryBuilder, v []byte) {
	if v == nil {
		b.AppendNull()
		return
	}
	b.Append(v)
}

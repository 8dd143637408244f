package source

import (
	"context"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/internal/eventlog"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Bounds of one Arrow batch. Offsets of a binary column are 32 bits, far above.
const (
	batchRows  = 32 << 10
	batchBytes = 8 << 20
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
	columns []int // projected, ordinals of full
	whole   *arrow.Schema
	schema  *arrow.Schema // of the batches
	alloc   memory.Allocator
	rows    int64 // of the whole range
}

func newLogReader(log EventLog, topic string, headers bool, from, to []int64, alloc memory.Allocator) *LogReader {
	fields, err := types.ArrowFields(KafkaColumns(headers))
	if err != nil {
		// The columns are fixed and all have a mapping; an empty schema would
		// show at once as a mismatch of columns.
		fields = nil
	}
	r := &LogReader{log: log, topic: topic, from: append([]int64(nil), from...), to: to, full: fields, alloc: alloc}
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
	b := newLogBatch(r.alloc, r.schema, r.columns, r.topic)
	defer b.builder.Release()
	for b.rows < batchRows && b.bytes < batchBytes && r.part < len(r.to) {
		from, to := r.from[r.part], r.to[r.part]
		if from >= to {
			r.part++
			continue
		}
		next := from
		part := int32(r.part)
		err := r.log.Read(ctx, r.part, from, to, func(offset int64, rec *eventlog.Record) bool {
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
	if len(r.columns) == 0 {
		return array.NewRecordBatch(r.schema, nil, int64(b.rows)), nil
	}
	return b.builder.NewRecordBatch(), nil
}

// logBatch builds one Arrow batch; builders of columns that are not read are nil.
type logBatch struct {
	builder     *array.RecordBuilder
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

func newLogBatch(alloc memory.Allocator, schema *arrow.Schema, columns []int, topic string) *logBatch {
	b := &logBatch{builder: array.NewRecordBuilder(alloc, schema), topicName: topic}
	for i, c := range columns {
		f := b.builder.Field(i)
		switch c {
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
	return b
}

func (b *logBatch) add(partition int32, offset int64, r *eventlog.Record) {
	b.rows++
	b.bytes += 32
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

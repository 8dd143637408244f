package schema

import (
	"encoding/json"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
)

// ChangesKey holds the types that a field had (PROTOCOL.md, "Type Widening").
const ChangesKey = "delta.typeChanges"

// CheckChanges refuses a table whose fields had types that cannot be read as
// the types they have now: the error is an ErrType.
func CheckChanges(s *arrow.Schema) error {
	for _, f := range s.Fields() {
		if err := checkField(f, f.Name); err != nil {
			return err
		}
	}
	return nil
}

func checkField(f arrow.Field, name string) error {
	if text, ok := f.Metadata.GetValue(rawPrefix + ChangesKey); ok {
		var changes []struct {
			From json.RawMessage `json:"fromType"`
			To   json.RawMessage `json:"toType"`
		}
		if err := json.Unmarshal([]byte(text), &changes); err != nil {
			return fmt.Errorf("field %s: %s: %w", name, ChangesKey, err)
		}
		for _, c := range changes {
			from, err := parseType(c.From, 0)
			if err != nil {
				return fmt.Errorf("field %s: %s: %w", name, ChangesKey, err)
			}
			to, err := parseType(c.To, 0)
			if err != nil {
				return fmt.Errorf("field %s: %s: %w", name, ChangesKey, err)
			}
			if !canWiden(from, to) && !holds(from, to) {
				return fmt.Errorf("field %s: %w: a change from %s to %s", name, ErrType, c.From, c.To)
			}
		}
	}
	return checkType(f.Type, name)
}

func checkType(t arrow.DataType, name string) error {
	n, ok := t.(arrow.NestedType)
	if !ok {
		return nil
	}
	if _, variant := t.(arrow.ExtensionType); variant {
		return nil
	}
	for _, f := range n.Fields() {
		if err := checkField(f, name+"."+f.Name); err != nil {
			return err
		}
	}
	return nil
}

// holds tells whether a decimal has every value of a whole number's type. Early
// writers widened to the narrowest such decimals, which the protocol, made final,
// does not have.
func holds(from, to arrow.DataType) bool {
	d, ok := to.(*arrow.Decimal128Type)
	if !ok {
		return false
	}
	digits := map[arrow.Type]int32{arrow.INT8: 3, arrow.INT16: 5, arrow.INT32: 10, arrow.INT64: 19}[from.ID()]
	return digits > 0 && d.Precision-d.Scale >= digits
}

// canWiden tells whether the protocol lets a field's type change so.
func canWiden(from, to arrow.DataType) bool {
	if arrow.TypeEqual(from, to) {
		return true
	}
	whole := arrow.IsInteger(from.ID())
	switch to := to.(type) {
	case *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type:
		return whole && from.(arrow.FixedWidthDataType).BitWidth() < to.(arrow.FixedWidthDataType).BitWidth()
	case *arrow.Float64Type:
		return from.ID() == arrow.FLOAT32 || whole && from.ID() != arrow.INT64
	case *arrow.TimestampType:
		return from.ID() == arrow.DATE32 && to.TimeZone == ""
	case *arrow.Decimal128Type:
		digits := to.Precision - to.Scale
		switch d, ok := from.(*arrow.Decimal128Type); {
		case ok:
			return to.Scale >= d.Scale && digits >= d.Precision-d.Scale
		case from.ID() == arrow.INT64:
			return digits >= 20
		}
		return whole && digits >= 10
	}
	return false
}

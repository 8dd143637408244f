package duck

import (
	"errors"
	"strings"

	"github.com/marisma/marisma/internal/duck/kernel"
	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// refusals are the reasons for which a kernel cannot be compiled that lie in
// a constant of the statement, with the classes of Spark, which raises them
// when the statement runs.
func refusals() []struct {
	err             error
	class, sqlState string
} {
	return []struct {
		err             error
		class, sqlState string
	}{
		{cast.ErrPattern, cast.ErrPattern.Error(), "22007"},
		{cast.ErrPatternLength, cast.ErrPatternLength.Error(), "22007"},
		{cast.ErrPatternLetter, cast.ErrPatternLetter.Error(), "22007"},
		{cast.ErrPatternChanged, cast.ErrPatternChanged.Error(), "42K0B"},
		{cast.ErrPatternWeekBase, cast.ErrPatternWeekBase.Error(), "42K0B"},
		{cast.ErrZone, "INVALID_TIMEZONE", "22009"},
		{kernel.ErrPattern, "INVALID_PARAMETER_VALUE.PATTERN", "22023"},
		{kernel.ErrCharset, "INVALID_PARAMETER_VALUE.CHARSET", "22023"},
		{kernel.ErrFormat, "INVALID_FORMAT.UNEXPECTED_TOKEN", "42601"},
		{kernel.ErrOption, "OPTION_VALUE_EXCEEDS_ONE_CHARACTER", "22023"},
		{kernel.ErrXPath, "INVALID_PARAMETER_VALUE.XPATH", "22023"},
		{kernel.ErrPath, "INVALID_VARIANT_GET_PATH", "22023"},
	}
}

// registerError gives an error of registration the class that Spark has for
// it; one that is no statement's fault stays as it is.
func registerError(err error) error {
	if err == nil {
		return nil
	}
	for _, r := range refusals() {
		if !errors.Is(err, r.err) {
			continue
		}
		text := err.Error()
		if i := strings.Index(text, r.err.Error()); i >= 0 {
			text = text[i:]
		}
		return &Error{Message: text + ".", Class: r.class, SQLState: r.sqlState, cause: err}
	}
	return err
}

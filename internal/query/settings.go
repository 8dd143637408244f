package query

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// settings are the settings that are known, with what they are where SET did
// not change them. Others are kept and have no effect.
var settings = map[string]struct {
	value string
	kind  string // "boolean", "int", "" for texts
}{
	"spark.sql.ansi.enabled":                          {"true", "boolean"},
	"spark.sql.ansi.doubleQuotedIdentifiers":          {"false", "boolean"},
	"spark.sql.caseSensitive":                         {"false", "boolean"},
	"spark.sql.groupByAliases":                        {"true", "boolean"},
	"spark.sql.groupByOrdinal":                        {"true", "boolean"},
	"spark.sql.legacy.interval.enabled":               {"false", "boolean"},
	"spark.sql.legacy.timeParserPolicy":               {"CORRECTED", ""},
	"spark.sql.mapKeyDedupPolicy":                     {"EXCEPTION", ""},
	"spark.sql.orderByOrdinal":                        {"true", "boolean"},
	"spark.sql.session.timeZone":                      {"UTC", ""},
	"spark.sql.shuffle.partitions":                    {"200", "int"},
	"spark.sql.sources.partitionOverwriteMode":        {"STATIC", ""},
	"spark.sql.storeAssignmentPolicy":                 {"ANSI", ""},
	"spark.databricks.delta.optimizeWrite.enabled":    {undefined, "boolean"},
	"spark.databricks.delta.schema.autoMerge.enabled": {"false", "boolean"},
}

// static settings cannot be changed by SET.
var static = map[string]bool{
	"spark.sql.catalogImplementation": true, "spark.sql.extensions": true, "spark.sql.globalTempDatabase": true, "spark.sql.warehouse.dir": true,
}

// setting is SET: it changes a setting, or shows one or all.
func (e *Engine) setting(_ context.Context, sess *Session, c *plan.Command) (*Result, error) {
	key, value := c.Args["key"], c.Args["value"]
	names := []string{"key", "value"}
	switch _, given := c.Args["value"]; {
	case key == "":
		all := map[string]string{timeZoneConf: sess.zone()}
		maps.Copy(all, sess.Conf)
		var rows [][]string
		for _, k := range slices.Sorted(maps.Keys(all)) {
			rows = append(rows, []string{k, all[k]})
		}
		return textResult(names, rows), nil
	case !given:
		return textResult(names, [][]string{{key, sess.get(key)}}), nil
	}
	if v, n := sess.state.Variable(strings.Split(key, ".")); v != nil && n == strings.Count(key, ".")+1 {
		return nil, fault(c.Pos, "UNSUPPORTED_FEATURE.SET_VARIABLE_USING_SET", "0A000", key+" is a variable, and SET changes settings.", "Use SET VAR "+key+" = ...")
	}
	if static[key] {
		return nil, fault(c.Pos, "CANNOT_MODIFY_STATIC_CONFIG", "46110", "the setting "+key+" cannot be changed.", "")
	}
	if err := valid(key, value); err != nil {
		return nil, fault(c.Pos, "INVALID_CONF_VALUE."+err.class, "22022", fmt.Sprintf("%q is no value of %s: %s.", value, key, err.why), err.hint)
	}
	sess.set(key, value)
	return textResult(names, [][]string{{key, value}}), nil
}

// undefined is what SET shows of a key without a value.
const undefined = "<undefined>"

// get is a setting's value, undefined where it has none.
func (s *Session) get(key string) string {
	if v, ok := s.Conf[key]; ok {
		return v
	}
	if key == timeZoneConf {
		return s.zone()
	}
	if d, ok := settings[key]; ok {
		return d.value
	}
	return undefined
}

var references = regexp.MustCompile(`\$\{(?:(?:spark|sparkconf|hivevar|hiveconf):)?([^\s{}:]+)\}`)

// substitute puts settings in the place of ${key} in a statement's text, as
// spark.sql.variable.substitute (on unless set to false) says. A key without a
// value is nothing, as in Spark; ${env:...} and ${system:...} stay, for a
// server's own environment is not its users'.
func (s *Session) substitute(text string) string {
	if !strings.Contains(text, "${") || strings.EqualFold(s.Conf["spark.sql.variable.substitute"], "false") {
		return text
	}
	return references.ReplaceAllStringFunc(text, func(m string) string {
		if v := s.get(references.FindStringSubmatch(m)[1]); v != undefined {
			return v
		}
		return ""
	})
}

type invalid struct{ class, why, hint string }

// valid checks a value; nil where it is good.
func valid(key, value string) *invalid {
	switch settings[key].kind {
	case "boolean":
		if !strings.EqualFold(value, "true") && !strings.EqualFold(value, "false") {
			return &invalid{"TYPE_MISMATCH", "it is true or false", ""}
		}
	case "int":
		if _, err := strconv.Atoi(value); err != nil {
			return &invalid{"TYPE_MISMATCH", "it is an integer", ""}
		}
	}
	if key == timeZoneConf && !isZone(value) {
		return &invalid{"TIME_ZONE", "there is no such time zone", "Use a name such as Europe/Madrid, or an offset such as +02:00."}
	}
	return nil
}

// isZone tells whether a name or an offset is a time zone.
func isZone(zone string) bool {
	_, err := cast.LoadZone(zone)
	return err == nil
}

// reset is RESET [key]: the session's settings as they were at its start.
func (e *Engine) reset(_ context.Context, sess *Session, c *plan.Command) (*Result, error) {
	key := c.Args["key"]
	if key == "" {
		sess.Conf = nil
		return &Result{}, nil
	}
	if static[key] {
		return nil, fault(c.Pos, "CANNOT_MODIFY_STATIC_CONFIG", "46110", "the setting "+key+" cannot be changed.", "")
	}
	conf := maps.Clone(sess.Conf)
	delete(conf, key)
	sess.Conf = conf
	return &Result{}, nil
}

// setTimeZone is SET TIME ZONE.
func (e *Engine) setTimeZone(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	zone := c.Args["value"]
	if text := c.Args["interval"]; text != "" {
		s := (&task{e: e, sess: sess}).step()
		x, err := analyze.Expression(ctx, text, nil, s.env)
		if err != nil {
			return nil, err
		}
		var ok bool
		if zone, ok = intervalZone(x); !ok {
			return nil, fault(c.Pos, "INVALID_INTERVAL_FORMAT.TIMEZONE_INTERVAL_OUT_OF_RANGE", "22006", "a zone is at most 18 hours from UTC.", "")
		}
	}
	if zone == "LOCAL" {
		zone = "UTC"
	}
	if err := valid(timeZoneConf, zone); err != nil {
		return nil, fault(c.Pos, "INVALID_CONF_VALUE."+err.class, "22022", fmt.Sprintf("%q is no time zone.", zone), err.hint)
	}
	sess.set(timeZoneConf, zone)
	return textResult([]string{"key", "value"}, [][]string{{timeZoneConf, zone}}), nil
}

// intervalZone is an interval as an offset from UTC.
func intervalZone(x plan.Expr) (string, bool) {
	lit, ok := funcs.Eval(x)
	if !ok {
		return "", false
	}
	us, ok := lit.Value.(int64)
	if _, days := lit.Typ.(types.DayTime); !ok || !days || us > 18*3600e6 || us < -18*3600e6 {
		return "", false
	}
	sign := '+'
	if us < 0 {
		sign, us = '-', -us
	}
	return fmt.Sprintf("%c%02d:%02d", sign, us/3600e6, us/60e6%60), true
}

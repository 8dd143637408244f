package analyze

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// ChangeReader is a Resolver that reads change feeds, too.
type ChangeReader interface {
	// Changes gives what the versions from..to of a table did to its rows: the
	// table's columns, then _change_type, _commit_version and _commit_timestamp.
	// A `to` without version and time is the newest. The source and the view are
	// nil where there is no such table; a view has no feed.
	Changes(ctx context.Context, name []string, from, to TimeTravel) (*plan.Source, *View, error)
}

// changeFunctions read a change feed, of a table by its name or its path.
var changeFunctions = map[string]bool{"table_changes": true, "table_changes_by_path": true}

// tableChanges resolves table_changes(table, from [, to]).
func (a *analyzer) tableChanges(f *ast.TableFunc, name string, p place) (relation, error) {
	args := f.Call.Args
	if len(args) < 2 || len(args) > 3 {
		return relation{}, a.errorf(f.Pos(), "INCORRECT_NUMBER_OF_ARGUMENTS", "42605", "%s takes a table, the first version or time and, if wanted, the last one.", name)
	}
	table, err := a.changesOf(args[0], name, p)
	if err != nil {
		return relation{}, err
	}
	from, err := a.changeBound(args[1], "starting", p)
	if err != nil {
		return relation{}, err
	}
	var to TimeTravel
	if len(args) == 3 {
		if to, err = a.changeBound(args[2], "ending", p); err != nil {
			return relation{}, err
		}
	}
	return a.changeFeed(&ast.TableName{At: f.At, Name: table, Stream: f.Stream}, from, to, p)
}

// changesOf is the table that a function's first argument names.
func (a *analyzer) changesOf(e ast.Expr, fn string, p place) (ast.Name, error) {
	if _, named := e.(*ast.NamedArg); named {
		return nil, a.errorf(e.Pos(), "DELTA_UNSUPPORTED_EXPRESSION", "0A000", "%s takes its arguments by position.", fn)
	}
	x, err := a.expr(e, &scope{place: place{catalog: p.catalog, schema: p.schema, params: p.params}})
	if err != nil {
		return nil, err
	}
	var text string
	lit, ok := x.(*plan.Literal)
	if ok {
		text, ok = lit.Value.(string)
	}
	if !ok {
		return nil, a.errorf(e.Pos(), "DELTA_UNSUPPORTED_EXPRESSION", "0A000", "%s takes the table as a constant text.", fn)
	}
	if fn == "table_changes_by_path" {
		return ast.Name{{At: ast.At{P: e.Pos()}, Name: "delta"}, {At: ast.At{P: e.Pos()}, Name: text}}, nil
	}
	out, err := parse.Name(text)
	if err != nil {
		return nil, a.placed(err, e.Pos())
	}
	return out, nil
}

// changeBound is a version (a number) or a time (a text or a timestamp).
func (a *analyzer) changeBound(e ast.Expr, which string, p place) (TimeTravel, error) {
	var at TimeTravel
	x, err := a.expr(e, &scope{place: place{catalog: p.catalog, schema: p.schema, params: p.params}})
	if err != nil {
		return at, err
	}
	switch t := x.Type(); t {
	case types.Void, types.Int, types.BigInt, types.Timestamp, types.String:
	default:
		return at, a.errorf(e.Pos(), "DELTA_UNSUPPORTED_EXPRESSION", "0A000", "The %s point of a change feed cannot be %s.", which, t.SQL()).
			hint("Give a version (INT, BIGINT) or a time (STRING, TIMESTAMP).")
	}
	lit, err := a.computed(x)
	if err != nil {
		return at, err
	}
	if lit == nil {
		return at, a.errorf(e.Pos(), "DELTA_UNSUPPORTED_EXPRESSION", "0A000", "The %s point of a change feed must be a constant.", which)
	}
	switch v := lit.Value.(type) {
	case int64:
		if x.Type() == types.Timestamp {
			tm := time.UnixMicro(v).UTC()
			at.Timestamp = &tm
		} else {
			at.Version = &v
		}
		return at, nil
	case string:
		return a.changeTime(v, e.Pos())
	}
	return at, &sparksql.Error{
		Class: "DELTA_CDC_READ_NULL_RANGE_BOUNDARY", SQLState: "22004", Phase: sparksql.PhaseRuntime, Pos: e.Pos(),
		Message: "the " + which + " point of a change feed is NULL; give a version or a time.",
	}
}

func (a *analyzer) changeTime(text string, pos sparksql.Pos) (TimeTravel, error) {
	us, ok := funcs.TimeOfText(text, types.Timestamp, a.env.Now, a.zone())
	if !ok {
		return TimeTravel{}, a.errorf(pos, "DELTA_TIMESTAMP_INVALID", "42816", "%q is no time.", text).hint("A version is given as a number, without quotes.")
	}
	tm := time.UnixMicro(us).UTC()
	return TimeTravel{Timestamp: &tm}, nil
}

// changeFeed reads a table's feed under the table's name.
func (a *analyzer) changeFeed(t *ast.TableName, from, to TimeTravel, p place) (relation, error) {
	r, ok := a.env.Resolver.(ChangeReader)
	if !ok || t.Stream {
		return relation{}, a.errorf(t.Pos(), "UNSUPPORTED_FEATURE.CHANGE_DATA_FEED", "0A000", "A change feed is read by queries over tables, not here.")
	}
	name := t.Name.Strings()
	view := (*View)(nil)
	if s := sessionName(name); s != "" {
		view = a.env.Session.View(s)
	}
	var src *plan.Source
	if view == nil {
		var err error
		if src, view, err = r.Changes(a.ctx, qualified(name, p), from, to); err != nil {
			return relation{}, a.placed(err, t.Pos())
		}
	}
	switch {
	case view != nil:
		return relation{}, a.errorf(t.Pos(), "DELTA_TABLE_ONLY_OPERATION", "0AKDD", "%s is a view, which has no change feed.", quoteAll(name)).hint("Read the feed of its tables.")
	case src == nil:
		return relation{}, a.noTable(name, t.Pos())
	}
	return a.scan(src, t)
}

// feedOptions reads WITH ('readChangeFeed' = 'true', 'startingVersion' = ...)
// behind a table's name; false where it asks for no feed.
func (a *analyzer) feedOptions(t *ast.TableName) (from, to TimeTravel, asked bool, err error) {
	opt := map[string]string{}
	for _, o := range t.Options {
		opt[strings.ToLower(o.Key)] = o.Value
	}
	if !strings.EqualFold(opt["readchangefeed"], "true") && !strings.EqualFold(opt["readchangedata"], "true") {
		return from, to, false, nil
	}
	bound := func(which string) (TimeTravel, error) {
		version, byVersion := opt[which+"version"]
		text, byTime := opt[which+"timestamp"]
		switch {
		case byVersion && byTime:
			return TimeTravel{}, a.errorf(t.Pos(), "DELTA_MULTIPLE_CDC_BOUNDARY", "42614", "%sVersion and %sTimestamp cannot both be given.", which, which)
		case byTime:
			return a.changeTime(text, t.Pos())
		case !byVersion:
			return TimeTravel{}, nil
		}
		v, err := strconv.ParseInt(version, 10, 64)
		if err != nil {
			return TimeTravel{}, a.errorf(t.Pos(), "DELTA_INVALID_SOURCE_VERSION", "XXKDS", "%q is no version.", version)
		}
		return TimeTravel{Version: &v}, nil
	}
	if from, err = bound("starting"); err == nil {
		to, err = bound("ending")
	}
	if err == nil && from == (TimeTravel{}) {
		err = a.errorf(t.Pos(), "DELTA_NO_START_FOR_CDC_READ", "42601", "A change feed needs startingVersion or startingTimestamp.")
	}
	return from, to, true, err
}

// withoutFeed is t without the options that feedOptions has read.
func withoutFeed(t *ast.TableName) *ast.TableName {
	c := *t
	c.Options = nil
	return &c
}

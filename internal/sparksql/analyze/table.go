package analyze

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

const maxViewDepth = 100

// tableName resolves a name in FROM: a common table expression, a table or a
// view.
func (a *analyzer) tableName(t *ast.TableName, p place) (relation, error) {
	if t.Sample != nil {
		c := *t
		c.Sample = nil
		r, err := a.tableName(&c, p)
		if err != nil {
			return r, err
		}
		return a.sample(r, t.Sample, p)
	}
	if t.Name.Dynamic() {
		c := *t
		var err error
		if c.Name, err = a.dynamicName(t.Name, p); err != nil {
			return relation{}, err
		}
		t = &c
	}
	name := t.Name.Strings()
	if len(name) == 1 && t.Version == nil && t.Timestamp == nil {
		if def := p.ctes.find(name[0]); def != nil && a.same(def.name, name[0]) {
			if def.open {
				return relation{}, a.errorf(t.Pos(), "INVALID_RECURSIVE_CTE", "42836", "The anchor of a recursive common table expression cannot refer to it.")
			}
			if t.Stream {
				return relation{}, a.errorf(t.Pos(), "UNSUPPORTED_FEATURE.STREAM_OF_CTE", "0A000", "STREAM(%s): %s is a common table expression.", name[0], name[0]).
					hint("Write STREAM inside its query.")
			}
			r := def.reference()
			r, err := a.watermark(r, t.Watermark, p)
			if err != nil {
				return r, err
			}
			return a.alias2(r, t.Alias, t.Pos(), def.name)
		}
	}
	if len(name) == 1 && (t.Version != nil || t.Timestamp != nil) && p.ctes.find(name[0]) != nil {
		return relation{}, a.errorf(t.Pos(), "UNSUPPORTED_FEATURE.TIME_TRAVEL", "0A000", "%s is a common table expression and has no versions.", quote(name[0]))
	}
	at, err := a.timeTravel(t)
	if err != nil {
		return relation{}, err
	}
	if from, to, asked, err := a.feedOptions(t); err != nil {
		return relation{}, err
	} else if asked {
		r, err := a.changeFeed(withoutFeed(t), from, to, p)
		if err != nil {
			return r, err
		}
		return a.alias2(r, t.Alias, t.Pos(), "")
	}
	full := qualified(name, p)
	var src *plan.Source
	var view *View
	if s := sessionName(name); s != "" {
		if view = a.env.Session.View(s); view != nil {
			a.temporary("VIEW", s)
			full = view.Name
		}
	}
	if view == nil {
		if len(full) > 3 {
			return relation{}, a.errorf(t.Pos(), "REQUIRES_SINGLE_PART_NAMESPACE", "42K05", "A table is named by catalog, schema and name, not %s.", quoteAll(full))
		}
		if src, view, err = a.env.Resolver.Table(a.ctx, full, at); err != nil {
			return relation{}, a.placed(err, t.Pos())
		}
		if view != nil && view.Temporary {
			a.temporary("VIEW", name[len(name)-1])
		}
	}
	var r relation
	switch {
	case src != nil && src.Rules != nil && len(src.Columns) == 0:
		return relation{}, a.errorf(t.Pos(), "DELTA_READ_TABLE_WITHOUT_COLUMNS", "428GU", "The table %s has no columns.", quoteAll(name)).hint("ALTER TABLE ... ADD COLUMNS gives it some.")
	case src != nil && src.Files != nil:
		r, err = a.fileRows(src, t)
	case src != nil:
		r, err = a.scan(src, t)
	case view != nil:
		r, err = a.viewRef(view, full, t, p)
	default:
		if len(name) == 3 && !a.knownCatalog(name[0], p) {
			return relation{}, a.errorf(t.Pos(), "REQUIRES_SINGLE_PART_NAMESPACE", "42K05", "There is no catalog %s, and a schema's name has one part: %s.", quote(name[0]), quoteAll(name))
		}
		return relation{}, a.noTable(name, t.Pos())
	}
	if err != nil {
		return r, err
	}
	if r, err = a.watermark(r, t.Watermark, p); err != nil || t.Alias.Name == nil && t.Alias.Columns == nil {
		return r, err
	}
	return a.alias2(r, t.Alias, t.Pos(), "")
}

// knownCatalog tells whether a name is the current catalog, a built-in one or
// one that holds a table.
func (a *analyzer) knownCatalog(name string, p place) bool {
	for _, c := range []string{p.catalog, "spark_catalog", "system"} {
		if strings.EqualFold(c, name) {
			return true
		}
	}
	for _, t := range a.env.Resolver.Names(a.ctx) {
		if first, _, ok := strings.Cut(t, "."); ok && strings.EqualFold(first, name) {
			return true
		}
	}
	return false
}

// qualified completes a name of one or two parts with the current catalog and
// schema.
func qualified(name []string, p place) []string {
	switch {
	case len(name) == 1 && p.schema != "" && p.catalog != "":
		return []string{p.catalog, p.schema, name[0]}
	case len(name) == 1 && p.schema != "":
		return []string{p.schema, name[0]}
	case len(name) == 2 && p.catalog != "":
		return []string{p.catalog, name[0], name[1]}
	}
	return name
}

// placed puts a position on an error of the resolver that has none.
func (a *analyzer) placed(err error, pos sparksql.Pos) error {
	if e, ok := errors.AsType[*sparksql.Error](err); ok {
		if !e.Pos.IsZero() && e.Pos.File != "" || pos.IsZero() {
			return err
		}
		c := *e
		c.Pos = pos
		return &c
	}
	return &placedError{pos: pos, err: err}
}

// placedError adds a place to an error of another kind.
type placedError struct {
	pos sparksql.Pos
	err error
}

func (e *placedError) Error() string { return e.pos.String() + ": " + e.err.Error() }
func (e *placedError) Unwrap() error { return e.err }

// Pos is the place.
func (e *placedError) Pos() sparksql.Pos { return e.pos }

// FileFormat tells whether a word before a path names a format of files.
func FileFormat(word string) bool {
	switch strings.ToLower(word) {
	case "avro", "binaryfile", "csv", "json", "orc", "parquet", "text":
		return true
	}
	return false
}

func (a *analyzer) noTable(name []string, pos sparksql.Pos) error {
	if len(name) == 2 && FileFormat(name[0]) {
		return a.errorf(pos, "PATH_NOT_FOUND", "42K03", "There is nothing that this session may read at %s.", quote(name[1])).hint("Use read_files().")
	}
	if len(name) == 2 && strings.EqualFold(name[0], "delta") {
		return a.errorf(pos, "DELTA_MISSING_DELTA_TABLE", "42P01", "There is no Delta table at %s that this session may read.", quote(name[1]))
	}
	e := a.errorf(pos, "TABLE_OR_VIEW_NOT_FOUND", "42P01", "There is no table or view %s.", quoteAll(name))
	names := a.env.Resolver.Names(a.ctx)
	if near := nearest(strings.Join(name, "."), names, 3); near != "" {
		return e.hint("Did you mean " + near + "?")
	}
	return e
}

// scan reads a source with all its columns; what is not used is dropped when
// the plan is complete.
func (a *analyzer) scan(src *plan.Source, t *ast.TableName) (relation, error) {
	if len(t.Options) > 0 {
		c := *src
		c.Options = map[string]string{}
		maps.Copy(c.Options, src.Options)
		for _, o := range t.Options {
			c.Options[strings.ToLower(o.Key)] = o.Value
		}
		src = &c
	}
	alias := t.Name[len(t.Name)-1].Name
	if t.Alias.Name != nil {
		alias = t.Alias.Name.Name
	}
	sc := newScan(src, t.Stream, alias, t.Pos())
	r := relationOf(sc)
	q := src.Name
	if len(q) < len(t.Name) {
		q = t.Name.Strings()
	}
	for i := range r.cols {
		r.cols[i].Qualifier = q
	}
	a.metadata(&r, sc)
	return a.padRead(r)
}

func newScan(src *plan.Source, stream bool, alias string, pos sparksql.Pos) *plan.Scan {
	sc := &plan.Scan{Source: src, Streaming: stream, Alias: alias, Pos: pos}
	for i, f := range src.Columns {
		typ := f.Type
		if _, ok := typ.(types.Char); ok {
			typ = types.String
		}
		at := plan.Attr{ID: plan.NewID(), Name: f.Name, Type: typ, Nullable: f.Nullable, Comment: f.Comment}
		if src.Rules != nil {
			at.Declared = src.Rules.Columns[i].Declared
		} else if src.Files != nil && src.Files.Columns != nil {
			at.Declared = src.Files.Columns[i].Declared
		}
		sc.Attrs = append(sc.Attrs, at)
		sc.Ordinals = append(sc.Ordinals, i)
	}
	return sc
}

// viewRef analyses a view's query where the view was made.
func (a *analyzer) viewRef(v *View, full []string, t *ast.TableName, p place) (relation, error) {
	name := strings.ToLower(strings.Join(full, "."))
	if slices.Contains(a.views, name) || name == a.creating {
		return relation{}, a.errorf(t.Pos(), "RECURSIVE_VIEW", "42K0H", "The view %s refers to itself.", quoteAll(t.Name.Strings()))
	}
	if len(a.views) >= maxViewDepth {
		return relation{}, a.errorf(t.Pos(), "VIEW_EXCEED_MAX_NESTED_DEPTH", "54K00", "Views nest deeper than %d levels.", maxViewDepth)
	}
	if t.Version != nil || t.Timestamp != nil {
		return relation{}, a.errorf(t.Pos(), "UNSUPPORTED_FEATURE.TIME_TRAVEL", "0A000", "A view has no versions.")
	}
	if a.expansions++; a.expansions > maxExpansions {
		return relation{}, a.tooComplex(t.Pos(), "reads views more than %d times", maxExpansions)
	}
	if err := a.ctx.Err(); err != nil {
		return relation{}, err
	}
	at := v.At
	if at.IsZero() {
		at.File = v.File
	}
	st, err := parse.StatementAt(at, v.Text)
	if err != nil {
		return relation{}, err
	}
	q, ok := st.(*ast.QueryStatement)
	if !ok {
		return relation{}, a.errorf(t.Pos(), "UNSUPPORTED_FEATURE.STATEMENT", "0A000", "The view %s holds no query.", quoteAll(t.Name.Strings()))
	}
	inner := place{catalog: v.CatalogName, schema: v.Schema}
	if inner.catalog == "" {
		inner.catalog = p.catalog
	}
	if inner.schema == "" {
		inner.schema = p.schema
	}
	a.views = append(a.views, name)
	if !v.Temporary {
		defer a.withoutSession()()
	}
	r, err := a.query(q.Query, inner)
	a.views = a.views[:len(a.views)-1]
	if err != nil {
		return r, err
	}
	if at.File == "" {
		plan.PlaceNode(r.node, t.Pos())
	}
	r = relation{node: r.node, cols: r.visible()}
	if len(v.Columns) > 0 {
		if r, err = a.viewColumns(r, v, t.Pos()); err != nil {
			return r, err
		}
	}
	for i := range r.cols {
		r.cols[i].Qualifier = full
	}
	if t.Stream {
		return a.streamView(r, t)
	}
	return r, nil
}

// tooComplex refuses a statement that grows beyond a bound.
func (a *analyzer) tooComplex(pos sparksql.Pos, format string, args ...any) error {
	return a.errorf(pos, "FAILED_TO_PARSE_TOO_COMPLEX", "54001", "The statement is too complex: it "+format+".", args...)
}

// streamView is STREAM(view): a view that reads a stream already, or a chain
// of projections and filters over one table.
func (a *analyzer) streamView(r relation, t *ast.TableName) (relation, error) {
	scans := plan.Scans(r.node)
	for _, s := range scans {
		if s.Streaming {
			return r, nil
		}
	}
	simple := true
	plan.VisitNodes(r.node, func(n plan.Node) {
		switch n.(type) {
		case *plan.Scan, *plan.Project, *plan.Filter, *plan.Generate:
		default:
			simple = false
		}
	})
	if !simple || len(scans) != 1 {
		return r, a.errorf(t.Pos(), "UNSUPPORTED_STREAMING_TABLE_VALUED_FUNCTION", "0A000", "STREAM(%s): the view is more than a selection from one table.", t.Name[len(t.Name)-1].Name).
			hint("Write STREAM inside the view.")
	}
	r.node = mapPlan(r.node, func(x plan.Expr) plan.Expr { return x }, func(n plan.Node) plan.Node {
		if s, ok := n.(*plan.Scan); ok {
			c := *s
			c.Streaming = true
			return &c
		}
		return n
	})
	return r, nil
}

// watermark marks the event time of a relation.
func (a *analyzer) watermark(r relation, w *ast.Watermark, p place) (relation, error) {
	if w == nil {
		return r, nil
	}
	x, err := a.expr(w.X, &scope{place: p, cols: r.cols})
	if err != nil {
		return r, err
	}
	if err := a.scalarOnly(x, w.X.Pos(), "in WATERMARK"); err != nil {
		return r, err
	}
	if x.Type() != types.Timestamp {
		if st, ok := x.Type().(types.Struct); !ok || !isWindow(st) {
			return r, a.errorf(w.X.Pos(), "EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE", "42K09", "The event time %s must be a TIMESTAMP, not %s.", quote(funcs.SQLName(x)), x.Type().SQL())
		}
	}
	d, err := a.expr(w.Delay, &scope{place: p})
	if err != nil {
		return r, err
	}
	delay, err := a.delay(d, w.Delay.Pos())
	if err != nil {
		return r, err
	}
	col, plain := x.(*plan.Column)
	if w.Alias != nil || !plain {
		if w.Alias == nil {
			return r, a.errorf(w.X.Pos(), "REQUIRED_ALIAS_FOR_WATERMARK", "42K0E", "WATERMARK over an expression needs a name.").hint("Write WATERMARK expr AS name DELAY OF ...")
		}
		at := plan.Attr{ID: plan.NewID(), Name: w.Alias.Name, Type: x.Type(), Nullable: x.Nullable()}
		pr := &plan.Project{Input: r.node, Exprs: []plan.NamedExpr{{X: x, Attr: at}}}
		for _, o := range r.node.Output() {
			pr.Exprs = append(pr.Exprs, plan.NamedExpr{X: &plan.Column{Attr: o}, Attr: o})
		}
		r = relation{node: pr, cols: append([]column{{Attr: at, origin: at.ID}}, r.cols...)}
		col = &plan.Column{Attr: at}
	}
	mark := &plan.Watermark{Input: r.node, Attr: col.Attr, Delay: delay}
	for _, o := range r.node.Output() {
		if o.ID == col.Attr.ID {
			o.EventTime = &delay
			mark.Attr = o
		}
		mark.Attrs = append(mark.Attrs, o)
	}
	cols := append([]column{}, r.cols...)
	for i := range cols {
		if cols[i].ID == col.Attr.ID {
			cols[i].EventTime = &delay
		}
	}
	return relation{node: mark, cols: cols}, nil
}

// delay is a watermark's interval in microseconds; a month counts 31 days, as
// in Spark.
func (a *analyzer) delay(x plan.Expr, pos sparksql.Pos) (int64, error) {
	lit, ok := funcs.Eval(x)
	v, isInt := int64(0), false
	if ok {
		v, isInt = lit.Value.(int64)
	}
	if !isInt {
		return 0, a.errorf(pos, "CANNOT_PARSE_INTERVAL", "22006", "The delay must be a constant INTERVAL.")
	}
	if _, months := lit.Typ.(types.YearMonth); months {
		v *= 31 * 86400e6
	}
	if v < 0 {
		return 0, a.errorf(pos, "INVALID_WATERMARK_DELAY", "22023", "The delay may not be negative.")
	}
	return v, nil
}

package lineage

import (
	"regexp"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
)

// expr adds the inputs of an expression that is used as kind says. path is the
// field of its value that is asked for, nil for all of it.
func (w *walker) expr(e plan.Expr, path []string, kind Kind, out *set) {
	switch e := e.(type) {
	case *plan.Column:
		w.attr(e.Attr.ID, path, kind, out)
	case *plan.Outer:
		w.attr(e.Attr.ID, path, kind, out)
	case *plan.LambdaVar:
		if p, ok := w.vars[e.ID]; ok {
			w.parts([]part{p}, path, kind, out)
		}
	case *plan.Field:
		w.expr(e.X, append([]string{e.Name}, path...), kind, out)
	case *plan.Cast:
		w.expr(e.X, path, kind.over(direct(Transformation)), out)
	case *plan.Case:
		for _, b := range e.When {
			w.expr(b.Cond, nil, kind.over(indirect(Conditional)), out)
			w.expr(b.Then, path, kind.over(direct(Transformation)), out)
		}
		w.expr(e.Else, path, kind.over(direct(Transformation)), out)
	case *plan.AggCall:
		w.aggregate(e, path, kind, out)
	case *plan.WindowExpr:
		w.window(e, path, kind, out)
	case *plan.Subquery:
		w.subquery(e, path, kind, out)
	case *plan.Call:
		w.call(e, path, kind, out)
	default:
		for _, k := range e.Children() {
			w.expr(k, nil, kind.over(direct(Transformation)), out)
		}
	}
}

func (w *walker) aggregate(e *plan.AggCall, path []string, kind Kind, out *set) {
	how := direct(Aggregation)
	how.Masking = masking[e.Fn]
	if !pickers[e.Fn] {
		path = nil
	}
	for i, a := range e.Args {
		if i > 0 {
			path = nil
		}
		w.expr(a, path, kind.over(how), out)
	}
	if e.Filter != nil {
		w.expr(e.Filter, nil, kind.over(indirect(Conditional)), out)
	}
}

func (w *walker) window(e *plan.WindowExpr, path []string, kind Kind, out *set) {
	w.expr(e.Fn, path, kind, out)
	for _, p := range e.Partition {
		w.expr(p, nil, kind.over(indirect(Window)), out)
	}
	for _, k := range e.Order {
		w.expr(k.X, nil, kind.over(indirect(Window)), out)
	}
}

// subquery: a scalar one gives its value, and what decides about its rows
// decides about the value; EXISTS and IN are conditions.
func (w *walker) subquery(e *plan.Subquery, path []string, kind Kind, out *set) {
	var rows set
	w.rows(e.Plan, &rows)
	for in := range rows {
		in.Kind = kind.over(in.Kind)
		out.add(in)
	}
	if e.Kind == plan.ScalarSubquery {
		for _, a := range e.Plan.Output() {
			w.attr(a.ID, path, kind, out)
		}
		return
	}
	how := kind.over(direct(Transformation))
	for _, l := range e.Left {
		w.expr(l, nil, how, out)
	}
	if e.Kind == plan.InSubquery {
		for _, a := range e.Plan.Output() {
			w.attr(a.ID, nil, how, out)
		}
	}
}

func (w *walker) call(e *plan.Call, path []string, kind Kind, out *set) {
	how := kind.over(Kind{Type: Direct, Subtype: Transformation, Masking: masking[e.Fn]})
	args := e.Args
	switch {
	case len(path) > 0 && w.member(e, path, kind, out):
		return
	case conditions[e.Fn] > 0:
		n := conditions[e.Fn]
		for i, a := range args {
			if i < n {
				w.expr(a, nil, kind.over(indirect(Conditional)), out)
			} else {
				w.expr(a, path, how, out)
			}
		}
		return
	case jsonPaths[e.Fn] && len(args) > 1:
		if p, ok := text(args, 1); ok {
			w.expr(args[0], append(steps(p), path...), how, out)
			return
		}
	}
	inner := path
	if !transparent[e.Fn] {
		inner = nil
	}
	w.bind(e)
	for i, a := range args {
		l, lambda := a.(*plan.Lambda)
		switch {
		case lambda && filters[e.Fn]:
			w.expr(l.Body, nil, kind.over(indirect(Conditional)), out)
		case lambda:
			w.expr(l.Body, inner, how, out)
		case transparent[e.Fn] && i > 0 && !merges[e.Fn]: // an index, an order
			w.expr(a, nil, how, out)
		case mapped[e.Fn] && i == 0 && hasLambda(args):
			w.elements(args, how, out)
		default:
			w.expr(a, inner, how, out)
		}
	}
}

// member finds the field that path asks for in a value that is put together
// here: struct('a' , x, 'b', y).a is x.
func (w *walker) member(e *plan.Call, path []string, kind Kind, out *set) bool {
	if e.Fn != "named_struct" && e.Fn != "struct" {
		return false
	}
	for i := 0; i+1 < len(e.Args); i += 2 {
		if name, ok := text(e.Args, i); ok && strings.EqualFold(name, path[0]) {
			w.expr(e.Args[i+1], path[1:], kind, out)
			return true
		}
	}
	return false
}

// bind notes which collections the variables of a call's lambdas run over.
func (w *walker) bind(e *plan.Call) {
	var colls []plan.Expr
	for _, a := range e.Args {
		l, ok := a.(*plan.Lambda)
		if !ok {
			colls = append(colls, a)
			continue
		}
		for i, v := range l.Params {
			p := part{kind: direct(Identity)}
			switch {
			case e.Fn == "zip_with" && i < len(colls):
				p.x = colls[i]
			case (e.Fn == "aggregate" || e.Fn == "reduce") && i == 0 && len(colls) > 1:
				p.x = colls[1]
			default:
				p.x = colls[0]
			}
			w.vars[v.ID] = p
		}
	}
}

// elements: a function that maps a collection takes its length from it, and
// its values only where the lambda asks for them; the collection counts by
// itself where the lambda uses none of its variables.
func (w *walker) elements(args []plan.Expr, kind Kind, out *set) {
	for _, a := range args {
		l, ok := a.(*plan.Lambda)
		if !ok {
			continue
		}
		uses := false
		plan.Walk(l.Body, func(x plan.Expr) bool {
			_, v := x.(*plan.LambdaVar)
			uses = uses || v
			return true
		})
		if uses {
			return
		}
	}
	w.expr(args[0], nil, kind, out)
}

func hasLambda(args []plan.Expr) bool {
	for _, a := range args {
		if _, ok := a.(*plan.Lambda); ok {
			return true
		}
	}
	return false
}

// step is one step of a JSON path: .name, ['name'] or [index].
var step = regexp.MustCompile(`\.?([^.\[\]'"$]+)|\[['"]([^'"]+)['"]\]|\[(\d+|\*)\]`)

// steps are the names of a JSON path such as $.a['b'][0].
func steps(path string) []string {
	var out []string
	for _, m := range step.FindAllStringSubmatch(strings.TrimPrefix(path, "$"), -1) {
		if name := m[1] + m[2]; name != "" && m[3] == "" {
			if strings.Trim(name, "0123456789") != "" || m[2] != "" {
				out = append(out, name)
			}
		}
	}
	return out
}

func words(list string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		out[w] = true
	}
	return out
}

var (
	// masking functions hide the values that they take.
	masking = words("md5 sha sha1 sha2 crc32 hash xxhash64 mask aes_encrypt try_aes_encrypt count count_if approx_count_distinct regr_count hll_sketch_agg")
	// pickers are aggregates that give one of the values as it is.
	pickers = words("first first_value last last_value any_value max min max_by min_by mode collect_list collect_set array_agg")
	// transparent functions give values or elements of their arguments, so
	// that a field of the result is a field of the argument.
	transparent = words("from_json from_csv from_xml parse_json try_parse_json [] get element_at try_element_at filter array_sort sort_array slice reverse " +
		"array_distinct array_compact shuffle flatten array_except array_intersect array_union concat coalesce nvl greatest least array array_append array_prepend " +
		"map_values map_filter lag lead first_value last_value nth_value variant_get try_variant_get to_json")
	// merges are those of them whose arguments all give elements.
	merges = words("concat coalesce nvl greatest least array array_union array_append array_prepend")
	// filters take lambdas as conditions.
	filters = words("filter exists forall any_match all_match map_filter")
	// mapped functions make their elements by a lambda.
	mapped = words("transform transform_keys transform_values zip_with map_zip_with aggregate reduce")
	// jsonPaths take a path into their first argument.
	jsonPaths = words("get_json_object variant_get try_variant_get json_array_length")
	// conditions say how many of the first arguments are conditions.
	conditions = map[string]int{"if": 1, "nvl2": 1, "nullif": 1}
)

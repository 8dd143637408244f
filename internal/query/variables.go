package query

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// fault is an error that analysis would have found, had it known the session.
func fault(pos sparksql.Pos, class, state, message, hint string) error {
	return &sparksql.Error{Class: class, SQLState: state, Phase: sparksql.PhaseAnalysis, Pos: pos, Message: message, Hint: hint}
}

func exists(pos sparksql.Pos, name []string) error {
	return fault(pos, "VARIABLE_ALREADY_EXISTS", "42723", "there is a variable "+strings.Join(name, ".")+" already.", "DECLARE OR REPLACE takes its place.")
}

func noVariable(pos sparksql.Pos, name []string) error {
	return fault(pos, "UNRESOLVED_VARIABLE", "42883", "there is no variable "+strings.Join(name, ".")+", and none can be in that schema.", "Session variables are in SYSTEM.SESSION.")
}

// declare makes variables: local ones inside of a script.
func (s *step) declare(ctx context.Context, d *plan.DeclareVariables) error {
	st := &s.sess.state
	local := st.local()
	for _, n := range d.Names {
		switch {
		case local != nil && len(n) > 1:
			return fault(d.Pos, "INVALID_VARIABLE_DECLARATION.QUALIFIED_LOCAL_VARIABLE", "42K0M", "the local variable "+strings.Join(n, ".")+" is declared by its name alone.", "")
		case local != nil && d.Replace:
			return fault(d.Pos, "INVALID_VARIABLE_DECLARATION.REPLACE_LOCAL_VARIABLE", "42K0M", "the local variable "+n[0]+" cannot be replaced.", "Leave OR REPLACE out.")
		case local != nil:
			if local.vars[strings.ToLower(n[0])] != nil {
				return exists(d.Pos, n)
			}
		case temporary(n) == "":
			return noVariable(d.Pos, n)
		case !d.Replace && st.vars[strings.ToLower(temporary(n))] != nil:
			return exists(d.Pos, []string{"system", "session", temporary(n)})
		case len(st.vars)+len(d.Names) > maxVariables:
			return fault(d.Pos, "UNSUPPORTED_FEATURE.VARIABLE_COUNT", "54000", fmt.Sprintf("a session holds at most %d variables.", maxVariables), "")
		}
	}
	rows, err := s.values(ctx, d.Default, 1)
	if err != nil {
		return err
	}
	for _, n := range d.Names {
		v := &analyze.Variable{Type: d.Type, Value: rows[0][0], Default: d.DefaultText}
		if local != nil {
			v.Name = []string{"local", local.label, n[0]}
			local.vars[strings.ToLower(n[0])] = v
			continue
		}
		v.Name = []string{"system", "session", temporary(n)}
		put(&st.vars, temporary(n), v)
	}
	return nil
}

// assign sets variables to the columns of n's one row.
func (s *step) assign(ctx context.Context, names [][]string, n plan.Node) error {
	rows, err := s.values(ctx, n, 2)
	if err != nil {
		return err
	}
	if len(rows) > 1 {
		return &sparksql.Error{
			Class: "ROW_SUBQUERY_TOO_MANY_ROWS", SQLState: "21000", Phase: sparksql.PhaseRuntime,
			Message: "the query gives more than one row.", Hint: "LIMIT 1 takes the first.",
		}
	}
	for i, name := range names {
		v, _ := s.sess.state.Variable(name)
		if v == nil {
			return fmt.Errorf("query: the variable %v is gone", name)
		}
		v.Value = &plan.Literal{Typ: v.Type}
		if len(rows) > 0 {
			v.Value = rows[0][i]
		}
	}
	return nil
}

// dropVariable is DROP TEMPORARY VARIABLE.
func (s *step) dropVariable(d *plan.DropVariable) error {
	st := &s.sess.state
	name := temporary(d.Name)
	switch {
	case name == "":
		return noVariable(d.Pos, d.Name)
	case st.vars[strings.ToLower(name)] != nil:
		vars := maps.Clone(st.vars)
		delete(vars, strings.ToLower(name))
		st.vars = vars
	case !d.IfExists:
		return fault(d.Pos, "VARIABLE_NOT_FOUND", "42883", "there is no variable "+name+".", "DROP TEMPORARY VARIABLE IF EXISTS takes that.")
	}
	return nil
}

// bind analyses the values of parameter markers.
func (t *task) bind(ctx context.Context, args Args) error {
	env := t.step().env
	if err := args.bind(ctx, &env); err != nil {
		return err
	}
	t.named, t.positional = env.Params, env.Positional
	return nil
}

// maxImmediate bounds EXECUTE IMMEDIATE of texts that execute texts.
const maxImmediate = 16

// execute runs EXECUTE IMMEDIATE. The text sees no local variables.
func (s *step) execute(ctx context.Context, x *plan.ExecuteImmediate) (*Result, error) {
	if s.depth >= maxImmediate {
		return nil, fault(x.Pos, "FAILED_TO_PARSE_TOO_COMPLEX", "54001", fmt.Sprintf("EXECUTE IMMEDIATE runs itself more than %d deep.", maxImmediate), "")
	}
	rows, err := s.values(ctx, x.Text, 1)
	if err != nil {
		return nil, err
	}
	lit, _ := rows[0][0].(*plan.Literal)
	if lit == nil || lit.Value == nil {
		return nil, fault(x.Pos, "NULL_QUERY_STRING_EXECUTE_IMMEDIATE", "22004", "the text "+x.Name+" is NULL.", "")
	}
	text, _ := lit.Value.(string)
	st, err := s.sess.parse(text)
	if err != nil {
		return nil, err
	}
	if _, compound := st.(*ast.Compound); compound {
		return nil, fault(x.Pos, "SQL_SCRIPT_IN_EXECUTE_IMMEDIATE", "07501", "EXECUTE IMMEDIATE runs no scripts.", "Run the script itself.")
	}
	q, query := st.(*ast.QueryStatement)
	if len(x.Into) > 0 && !query {
		return nil, fault(x.Pos, "INVALID_STATEMENT_FOR_EXECUTE_INTO", "07501", "INTO takes the row of a query, and the text is none.", "")
	}
	inner := &task{e: s.e, sess: s.sess, asText: s.asText, depth: s.depth + 1}
	if err := inner.arguments(x, text); err != nil {
		return nil, err
	}
	s.sess.state.hidden++
	if len(x.Into) == 0 {
		defer func() { s.sess.state.hidden-- }()
		return inner.statement(ctx, st)
	}
	step := inner.step()
	step.env.Session = &s.sess.state
	n, err := analyze.Into(ctx, q, x.Into, step.env, func() { s.sess.state.hidden-- })
	if err != nil {
		return nil, err
	}
	return &Result{}, s.assign(ctx, x.Into, n)
}

// arguments binds those of USING to the markers of a text.
func (t *task) arguments(x *plan.ExecuteImmediate, text string) error {
	named, positional, err := parse.Markers(text)
	if err != nil {
		return err
	}
	if named && positional {
		return fault(x.Pos, "INVALID_QUERY_MIXED_QUERY_PARAMETERS", "42613", "the text has markers of both kinds, ? and :name.", "")
	}
	if !named {
		for _, a := range x.Args {
			t.positional = append(t.positional, a.Value)
		}
		return nil
	}
	t.named = map[string]plan.Expr{}
	for _, a := range x.Args {
		if a.Name == "" {
			return fault(x.Pos, "ALL_PARAMETERS_MUST_BE_NAMED", "07001", "the text has markers of the form :name, but the argument "+a.Title+" has no name.", "Write AS with the name behind it.")
		}
		t.named[a.Name] = a.Value
	}
	return nil
}

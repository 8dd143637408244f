package gen

import (
	"hash/fnv"
	"math/big"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// signature is one way to call a function: a type per argument, nil where a
// word of the tables stands, and the type of the result.
type signature struct {
	args   []types.Type
	result types.Type
	exact  bool // no implicit cast
}

// function is an entry of the registry with the calls that it takes.
type function struct {
	name string
	kind funcs.Kind
	sigs []signature
}

// How many calls of a function are kept and tried.
const (
	maxSignatures = 20
	maxTrials     = 600
	moreArgs      = 2 // beyond the least number, for those that take any number
)

// discover finds the calls that each function of the registry takes.
func discover() []function {
	hints, not, ops := words(), excluded(), operators()
	var out []function
	for _, name := range funcs.All() {
		d := funcs.Lookup(name)
		if _, ok := not[name]; ok {
			continue
		}
		if _, ok := not[d.Base]; ok && d.Base != "" {
			continue
		}
		if d.Operator && ops[name] == nil {
			continue
		}
		f := function{name: name, kind: d.Kind, sigs: signatures(d, hints[name])}
		if hints[name] == nil && d.Base != "" {
			f.sigs = signatures(d, hints[d.Base])
		}
		if len(f.sigs) > 0 {
			out = append(out, f)
		}
	}
	return out
}

func signatures(d *funcs.Def, hints map[int][]string) []signature {
	h := fnv.New64a()
	_, _ = h.Write([]byte(d.Name))
	r := rand.New(rand.NewPCG(h.Sum64(), 1))
	most := d.Max
	if most < 0 {
		most = d.Min + moreArgs
	}
	var out []signature
	for n := max(d.Min, leastArgs()[d.Name]); n <= most; n++ {
		out = append(out, ofArity(d, n, hints, r)...)
	}
	return out
}

func ofArity(d *funcs.Def, n int, hints map[int][]string, r *rand.Rand) []signature {
	p := pool()
	seen := map[string]bool{}
	var exact, coerced []signature
	if parts := operators()[d.Name]; len(parts) > 3 && n < 2 {
		return nil // a list without members
	}
	pairs := r.Perm(len(p) * len(p))
	for try := range max(maxTrials, len(pairs)) {
		ts, args := make([]types.Type, n), make([]plan.Expr, n)
		key := make([]string, n)
		for i := range n {
			if hints[i] != nil {
				args[i] = constant(pick(r, hints[i]))
				key[i] = "word"
				continue
			}
			switch {
			case n <= 2 && try < len(pairs): // all of them
				ts[i] = p[[2]int{pairs[try] / len(p), pairs[try] % len(p)}[i%2]].typ
			case i > 0 && ts[i-1] != nil && r.IntN(2) == 0:
				ts[i] = ts[i-1]
			default:
				ts[i] = pick(r, p).typ
			}
			key[i] = ts[i].String()
			args[i] = &plan.Column{Attr: plan.Attr{ID: plan.NewID(), Name: "c", Type: ts[i], Nullable: true}}
		}
		k := strings.Join(key, ",")
		if seen[k] {
			continue
		}
		seen[k] = true
		x, err := d.Resolve(args, context())
		if err != nil {
			continue
		}
		sig := signature{ts, x.Type(), !casts(x)}
		if sig.exact {
			exact = append(exact, sig)
		} else {
			coerced = append(coerced, sig)
		}
	}
	return append(exact[:min(len(exact), maxSignatures)], coerced[:min(len(coerced), maxSignatures/2)]...)
}

func context() funcs.Context {
	return funcs.Context{ANSI: true, TimeZone: "UTC", Now: time.Unix(0, 0), ParseType: func(text string) (types.Type, error) {
		if t, err := parse.DataType(text); err == nil {
			return t, nil
		}
		fs, err := parse.Schema(text)
		return types.Struct{Fields: fs}, err
	}}
}

// casts tells whether e casts one of its columns.
func casts(e plan.Expr) bool {
	if c, ok := e.(*plan.Cast); ok {
		if _, ok := c.X.(*plan.Column); ok {
			return true
		}
	}
	return slices.ContainsFunc(e.Children(), casts)
}

// constant is a word of the tables as a plan's literal; what is no plain
// constant counts as a column of its type.
func constant(text string) plan.Expr {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return &plan.Literal{Value: n, Typ: types.Int}
	}
	switch {
	case text == "NULL":
		return &plan.Literal{Typ: types.Void}
	case text == "true" || text == "false":
		return &plan.Literal{Value: text == "true", Typ: types.Boolean}
	case strings.HasPrefix(text, "'"):
		return &plan.Literal{Value: strings.Trim(text, "'"), Typ: types.String}
	case strings.HasPrefix(text, "map("):
		lit := func(s string) plan.Expr { return &plan.Literal{Value: s, Typ: types.String} }
		args := strings.Split(strings.TrimSuffix(strings.TrimPrefix(text, "map("), ")"), ", ")
		m, err := funcs.Resolve("map", []plan.Expr{lit(strings.Trim(args[0], "'")), lit(strings.Trim(args[1], "'"))}, context())
		if err == nil {
			return m
		}
	case strings.HasSuffix(text, "F"):
		return &plan.Literal{Value: float32(1), Typ: types.Float}
	case strings.HasSuffix(text, "D"):
		return &plan.Literal{Value: 0.5, Typ: types.Double}
	case strings.Contains(text, "."):
		return &plan.Literal{Value: big.NewInt(25), Typ: types.Decimal{Precision: 2, Scale: 2}}
	}
	return &plan.Column{Attr: plan.Attr{ID: plan.NewID(), Name: text, Type: types.String, Nullable: true}}
}

// byResult indexes the scalar calls by the type of their result.
func byResult(fs []function) map[string][]call {
	out := map[string][]call{}
	for i := range fs {
		if fs[i].kind != funcs.Scalar {
			continue
		}
		perType := map[string][]signature{}
		for _, s := range fs[i].sigs {
			k := s.result.String()
			perType[k] = append(perType[k], s)
		}
		keys := make([]string, 0, len(perType))
		for k := range perType {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			out[k] = append(out[k], call{fs[i].name, perType[k]})
		}
	}
	return out
}

// call is a function with those of its signatures that give one type.
type call struct {
	name string
	sigs []signature
}

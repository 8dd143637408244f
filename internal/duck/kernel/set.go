package kernel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
)

// ErrSpec is the family of errors about a Spec that cannot be registered.
var ErrSpec = errors.New("kernel")

// Spec describes a function: what it does (Kind with Params), the DuckDB
// types between which it does it, and the name under which SQL calls it. A
// name stands for one Spec for the life of an instance.
type Spec struct {
	Name   string
	Kind   string
	Args   []string
	Return string
	Params json.RawMessage
}

func (s Spec) equal(o Spec) bool {
	return s.Name == o.Name && s.Kind == o.Kind && s.Return == o.Return && slices.Equal(s.Args, o.Args) && bytes.Equal(s.Params, o.Params)
}

// Set is what one DuckDB instance has. It is safe for concurrent use.
type Set struct {
	conn duckdb.Connection
	mu   sync.Mutex // DuckDB fails two registrations of one name at a time
	have map[string]Spec
}

// NewSet is for the instance of conn, which must outlive it.
func NewSet(conn duckdb.Connection) *Set { return &Set{conn: conn, have: map[string]Spec{}} }

// Len is the number of functions.
func (s *Set) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.have)
}

// sig is a Spec with its types read.
type sig struct {
	args   []vector.Type
	ret    vector.Type
	params json.RawMessage
}

// kernel is what a kind makes of a sig.
type kernel struct {
	run   run
	nulls bool // handles NULL arguments itself
	// volatile gives another value each time, so that DuckDB may not fold it.
	volatile bool
}

// Register adds the function, or does nothing when the set has it.
func (s *Set) Register(k Spec) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if have, ok := s.have[k.Name]; ok {
		if !have.equal(k) {
			return fmt.Errorf("%w: another function is registered as %s", ErrSpec, k.Name)
		}
		return nil
	}
	g, err := signature(k)
	if err == nil {
		err = s.compile(k, &g)
	}
	if err != nil {
		return fmt.Errorf("%w %s (%s): %w", ErrSpec, k.Name, k.Kind, err)
	}
	k.Args, k.Params = slices.Clone(k.Args), bytes.Clone(k.Params)
	s.have[k.Name] = k
	return nil
}

func signature(k Spec) (g sig, err error) {
	if k.Name == "" {
		return g, errors.New("no name")
	}
	for _, a := range k.Args {
		t, err := vector.ParseType(a)
		if err != nil {
			return g, err
		}
		g.args = append(g.args, t)
	}
	g.ret, err = vector.ParseType(k.Return)
	g.params = k.Params
	return g, err
}

// compile makes and registers the function of k's kind.
func (s *Set) compile(k Spec, g *sig) error {
	if mk, ok := aggregates()[k.Kind]; ok {
		start, err := mk(g)
		if err != nil {
			return err
		}
		return s.addAggregate(k.Name, g, start)
	}
	mk, ok := kinds()[k.Kind]
	if !ok {
		return errors.New("unknown kind")
	}
	kn, err := mk(g)
	if err != nil {
		return err
	}
	return s.add(k.Name, *g, kn)
}

func (s *Set) add(name string, g sig, kn kernel) error {
	f := duckdb.CreateScalarFunction()
	defer duckdb.DestroyScalarFunction(&f)
	duckdb.ScalarFunctionSetName(f, name)
	for _, a := range g.args {
		l := a.Logical()
		duckdb.ScalarFunctionAddParameter(f, l)
		duckdb.DestroyLogicalType(&l)
	}
	l := g.ret.Logical()
	duckdb.ScalarFunctionSetReturnType(f, l)
	duckdb.DestroyLogicalType(&l)
	if kn.nulls {
		duckdb.ScalarFunctionSetSpecialHandling(f)
	}
	if kn.volatile {
		duckdb.ScalarFunctionSetVolatile(f)
	}
	duckdb.ScalarFunctionSetFunction(f, execPtr())
	setKernel(f.Ptr, kn.run, kn.nulls)
	if duckdb.RegisterScalarFunction(s.conn, f) == duckdb.StateError {
		return errors.New("DuckDB refuses the function")
	}
	return nil
}

// param reads the parameters into a struct; unknown ones are an error, since
// ignoring one would change an answer silently.
func (g *sig) param(into any) error {
	if len(g.params) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(g.params))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("params %s: %w", g.params, err)
	}
	return nil
}

// want checks the argument types; a zero ID takes any type.
func (g *sig) want(ret vector.ID, args ...vector.ID) error {
	if len(args) != len(g.args) {
		return fmt.Errorf("%d arguments, want %d", len(g.args), len(args))
	}
	for i, a := range args {
		if a != 0 && g.args[i].ID != a {
			return fmt.Errorf("argument %d is %s", i+1, g.args[i])
		}
	}
	if ret != 0 && g.ret.ID != ret {
		return fmt.Errorf("result is %s", g.ret)
	}
	return nil
}

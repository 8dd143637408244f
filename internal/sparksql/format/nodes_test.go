package format_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every node of the syntax tree has a case in this package: a new statement,
// expression, query body or table reference fails here until it is printed.
func TestEveryNodeHasAPrinter(t *testing.T) {
	nodes := map[string]bool{}
	for _, f := range parseDir(t, "../ast") {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv != nil && slices.Contains([]string{"isExpr", "isBody", "isTableRef", "isStatement"}, d.Name.Name) {
					nodes[strings.TrimPrefix(typeText(d.Recv.List[0].Type), "*")] = true
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if ts, ok := s.(*ast.TypeSpec); ok && embeds(ts, "Stmt") {
						nodes[ts.Name.Name] = true
					}
				}
			}
		}
	}
	delete(nodes, "Stmt")
	printed := map[string]bool{}
	for _, f := range parseDir(t, ".") {
		ast.Inspect(f, func(n ast.Node) bool {
			if c, ok := n.(*ast.CaseClause); ok {
				for _, e := range c.List {
					printed[strings.TrimPrefix(typeText(e), "*ast.")] = true
				}
			}
			return true
		})
	}
	if len(nodes) < 40 {
		t.Fatalf("only %d nodes found in package ast", len(nodes))
	}
	for _, n := range slices.Sorted(maps.Keys(nodes)) {
		if !printed[n] {
			t.Errorf("ast.%s has no printer: add a case to statement (statement.go), bare (expr.go), body (query.go) or leaf (from.go)\n"+
				"of package format, and statements with it to testdata/*.in.sql (go test ./internal/sparksql/format -rewrite)", n)
		}
	}
}

func parseDir(t *testing.T, dir string) []*ast.File {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var out []*ast.File
	for _, n := range names {
		if strings.HasSuffix(n, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), n, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

func typeText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return "*" + typeText(e.X)
	case *ast.SelectorExpr:
		return typeText(e.X) + "." + e.Sel.Name
	case *ast.Ident:
		return e.Name
	}
	return ""
}

func embeds(ts *ast.TypeSpec, name string) bool {
	st, ok := ts.Type.(*ast.StructType)
	if !ok {
		return false
	}
	for _, f := range st.Fields.List {
		if len(f.Names) == 0 && typeText(f.Type) == name {
			return true
		}
	}
	return false
}

package main

import (
	"fmt"
	"os"

	"github.com/marisma/marisma/internal/sparksql/funcs/reference/page"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(doc, recorded string) error {
	cases, err := os.ReadFile(recorded)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	updated, err := page.Cases(cases)
	if err != nil {
		return err
	}
	text, err := page.Render(updated)
	if err != nil {
		return err
	}
	if err := os.WriteFile(recorded, updated, 0o644); err != nil {
		return err
	}
	return os.WriteFile(doc, []byte(text), 0o644)
}

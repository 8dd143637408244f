package main

import (
	"context"
	"fmt"
	"os"

	"github.com/marisma/marisma/interop/place"
)

func main() {
	for _, address := range os.Args[1:] {
		if err := place.Make(context.Background(), address); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// Command marisma runs an IoT lakehouse from a project folder: `marisma up`
// starts it, the other verbs speak to the one that runs. Exit codes: 0 done,
// 1 the input or the statement is wrong, 2 the command line is wrong, 3 no
// server runs or it cannot be reached, 4 another process owns the data folder,
// 130 interrupted.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

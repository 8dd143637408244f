// Package e2e drives the built binary with scripts: it starts servers, speaks
// MQTT and SQL to them, stops and kills them. The scripts are
// testdata/script/*.txtar; commands_test.go has the commands that they use
// beyond testscript's own.
package e2e

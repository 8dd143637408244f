package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/marisma/marisma/internal/catalog/folder"
	"github.com/marisma/marisma/internal/web/api"
)

// marisma runs the command line in this process.
func marisma(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errw bytes.Buffer
	code = execute(t.Context(), args, strings.NewReader(""), &out, &errw)
	return code, out.String(), errw.String()
}

func TestExitCodes(t *testing.T) {
	t.Chdir(t.TempDir())
	if code, _, e := marisma(t, "init", "p"); code != exitOK {
		t.Fatal(e)
	}
	for _, c := range []struct {
		args string
		code int
		say  string // in stderr
	}{
		{"version", exitOK, ""},
		{"version -o json", exitOK, ""},
		{"validate -C p", exitOK, ""},
		{"", exitOK, ""},
		{"device", exitOK, ""},
		{"versio", exitUsage, "did you mean `marisma version`"},
		{"pipeline stauts", exitUsage, "did you mean `marisma pipeline status`"},
		{"pipeline xyzzy", exitUsage, "marisma pipeline --help"},
		{"validate surplus", exitUsage, "Usage: marisma validate"},
		{"validate --nosuch", exitUsage, "--nosuch"},
		{"version -o yaml", exitUsage, "text or json"},
		{"device add", exitUsage, "Usage: marisma device add"},
		{"up --interval 0s -C p", exitUsage, "--interval"},
		{"sql -C p -e x -f y", exitUsage, "exclude each other"},
		{"table history t --limit 0 -C p", exitUsage, "--limit"},
		{"pipeline reset -C p", exitUsage, "--yes"},
		{"replay f.csv --order x -C p", exitUsage, "event-time or file"},
		{"replay f.csv --zone Mars/Base -C p", exitUsage, "Mars/Base"},
		{"simulate --count -1 -C p", exitUsage, "--count"},
		{"validate -C nowhere", exitFailed, "nowhere"},
		{"validate -C p -t nosuch", exitFailed, "nosuch"},
		{"validate -C p --var nosuch=1", exitFailed, "nosuch"},
		{"init p", exitFailed, "another folder"},
		{"sql -C p -e 'SELECT", exitFailed, "1:1"},
		{"sql -C p -f nofile.sql", exitFailed, "nofile.sql"},
		{"device list -C p", exitNotRunning, "marisma up -C p"},
		{"token -C p", exitNotRunning, "marisma up -C p"},
		{"pipeline status -C p", exitNotRunning, "marisma up -C p"},
		{"table history t -C p", exitNotRunning, "marisma up -C p"},
		{"simulate -C p", exitNotRunning, "marisma up -C p"},
		{"replay f.csv -C p", exitNotRunning, "marisma up -C p"},
	} {
		code, _, stderr := marisma(t, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(stderr, c.say) || code != 0 && stderr == "" {
			t.Errorf("marisma %s: exit code %d, want %d; stderr %q, want %q", c.args, code, c.code, stderr, c.say)
		}
	}
	for err, want := range map[error]int{
		fmt.Errorf("x: %w", folder.ErrInUse): exitFolderInUse, api.ErrNotRunning: exitNotRunning,
		usageError{errors.New("x")}: exitUsage, errors.New("x"): exitFailed,
	} {
		if got := exitCode(err); got != want {
			t.Errorf("%v: %d, want %d", err, got, want)
		}
	}
}

func TestEachCommandTellsWhatItDoes(t *testing.T) {
	root := (&cli{}).root()
	seen := 0
	for _, c := range root.Commands() {
		for _, s := range append(c.Commands(), c) {
			seen++
			if s.Short == "" && !s.Hidden {
				t.Errorf("%s has no word about itself", s.CommandPath())
			}
			if s.RunE == nil && s.Run == nil && s.Name() != "completion" {
				t.Errorf("%s runs nothing", s.CommandPath())
			}
		}
	}
	if seen < 15 {
		t.Errorf("only %d commands were seen", seen)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if code, out, _ := marisma(t, "completion", shell); code != exitOK || !strings.Contains(out, "marisma") {
			t.Errorf("completion %s: %d", shell, code)
		}
	}
}

var result = []api.SQLLine{
	{Columns: []api.Column{{Name: "n", Type: "bigint"}, {Name: "it's \"x\"", Type: "string"}, {Name: "d", Type: "double"}, {Name: "b", Type: "boolean"}, {Name: "p", Type: "decimal(20,2)"}}},
	{Rows: [][]*string{{new("9007199254740993"), new("a,\n\"b\""), new("NaN"), new("true"), new("123456789012345678.90")}}},
	{Rows: [][]*string{{nil, nil, new("1.0E10"), nil, nil}}},
	{Done: &api.SQLDone{Rows: 2, Truncated: true}},
}

func show(t *testing.T, p resultPrinter, lines []api.SQLLine) {
	t.Helper()
	for _, l := range lines {
		var err error
		switch {
		case l.Columns != nil:
			err = p.columns(l.Columns)
		case l.Done != nil:
			err = p.done(*l.Done)
		default:
			err = p.rows(l.Rows)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestResultsAsJSON(t *testing.T) {
	var b bytes.Buffer
	show(t, &jsonPrinter{w: bufio.NewWriter(&b)}, result)
	dec := json.NewDecoder(&b)
	dec.UseNumber()
	var rows []map[string]any
	if err := dec.Decode(&rows); err != nil {
		t.Fatal(err)
	}
	one := rows[0]
	if one["n"] != json.Number("9007199254740993") || one[`it's "x"`] != "a,\n\"b\"" || one["d"] != "NaN" || one["b"] != true || one["p"] != json.Number("123456789012345678.90") {
		t.Errorf("%#v", one)
	}
	if two := rows[1]; two["n"] != nil || two["d"] != json.Number("1.0E10") || two["b"] != nil {
		t.Errorf("%#v", two)
	}
	b.Reset()
	show(t, &jsonPrinter{w: bufio.NewWriter(&b)}, []api.SQLLine{result[0], {Done: &api.SQLDone{}}})
	if err := json.Unmarshal(b.Bytes(), &rows); err != nil || len(rows) != 0 {
		t.Errorf("no rows: %q %v", b.String(), err)
	}
}

func TestResultsAsCSV(t *testing.T) {
	var b bytes.Buffer
	show(t, &csvPrinter{w: csv.NewWriter(&b)}, result)
	recs, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(recs) != 3 || recs[1][1] != "a,\n\"b\"" || recs[2][0] != "" {
		t.Errorf("%q %v", recs, err)
	}
}

func TestResultsAsText(t *testing.T) {
	var b bytes.Buffer
	show(t, &textPrinter{w: &b}, result)
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) != 5 || !strings.Contains(lines[4], "2 rows") || !strings.Contains(lines[4], "cut off by --limit") {
		t.Fatalf("%q", lines)
	}
	if !strings.HasPrefix(lines[3], "            NULL  NULL") || !strings.Contains(lines[2], `a, "b"`) {
		t.Errorf("numbers stand right, cells on one line: %q", lines)
	}
	b.Reset()
	show(t, &textPrinter{w: &b}, []api.SQLLine{result[0], {Done: &api.SQLDone{}}})
	if !strings.HasPrefix(b.String(), "n  it's") || !strings.Contains(b.String(), "0 rows") {
		t.Errorf("an empty result shows its columns: %q", b.String())
	}
}

func TestTablesClipLongCells(t *testing.T) {
	long := strings.Repeat("ñ", maxCell+1)
	for _, whole := range []bool{false, true} {
		var b bytes.Buffer
		tab := table{head: []string{"a", "b"}, whole: whole}
		tab.add(long, long)
		if err := tab.print(&b); err != nil {
			t.Fatal(err)
		}
		row := strings.Split(b.String(), "\n")[2]
		want := 2*maxCell + 2
		if whole {
			want++
		}
		if n := utf8.RuneCountInString(row); n != want || !strings.Contains(row, "…") {
			t.Errorf("whole %v: %d code points, want %d: %s", whole, n, want, row)
		}
	}
}

// The place of an error in a script is its place in the file, not in the
// statement.
func TestPlaces(t *testing.T) {
	at := place{file: "x.sql", line: 1, col: 1}
	at.pass("-- ñ\n  ")
	for _, c := range []struct {
		line, col int
		want      string
	}{{1, 8, "x.sql:2:10: [C] m"}, {2, 8, "x.sql:3:8: [C] m"}, {0, 0, "[C] m"}} {
		got := at.of(&api.Error{Code: "C", Message: "m", Line: c.line, Col: c.col})
		if got.Error() != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
		if _, ok := errors.AsType[*api.Error](got); !ok {
			t.Errorf("%v lost its kind", got)
		}
	}
	at.file = ""
	if got := at.of(&api.Error{Code: "C", Message: "m", Line: 1, Col: 1}); got.Error() != "2:3: [C] m" {
		t.Error(got)
	}
	if err := errors.New("x"); !errors.Is(at.of(err), err) {
		t.Error("an error without a place was changed")
	}
}

func TestWords(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1 000", -1234567: "-1 234 567"} {
		if got := count(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	for zone, want := range map[string]int{"UTC": 0, "+08:00": 8 * 3600, "-03:30": -12600, "Asia/Shanghai": 8 * 3600} {
		loc, err := parseZone(zone)
		if err != nil {
			t.Error(err)
			continue
		}
		if _, off := time.Unix(1_700_000_000, 0).In(loc).Zone(); off != want {
			t.Errorf("%s: %d", zone, off)
		}
	}
	if _, err := parseZone("8"); err == nil {
		t.Error("8 is a zone")
	}
}

package bundle_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/marisma/marisma/internal/bundle"
)

var rewrite = flag.Bool("rewrite", false, "write what was got into testdata; read the diff")

// unpack writes an archive's files into a new folder.
func unpack(t *testing.T, a *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range a.Files {
		if f.Name == "want" {
			continue
		}
		name := filepath.Join(dir, f.Name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, f.Data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// arguments are the lines "target: x" and "var: a=b" above an archive's files.
func arguments(a *txtar.Archive) (target string, vars map[string]string) {
	vars = map[string]string{}
	for line := range strings.Lines(string(a.Comment)) {
		line = strings.TrimSpace(line)
		if v, ok := strings.CutPrefix(line, "target: "); ok {
			target = v
		}
		if v, ok := strings.CutPrefix(line, "var: "); ok {
			name, value, _ := strings.Cut(v, "=")
			vars[name] = value
		}
	}
	return target, vars
}

// archives runs f on each archive of a folder and compares what it gives with
// the archive's file "want".
func archives(t *testing.T, folder string, f func(t *testing.T, dir, target string, vars map[string]string) string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no archives in %s: %v", folder, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir := unpack(t, a)
			target, vars := arguments(a)
			got := strings.ReplaceAll(f(t, dir, target, vars), dir, "$DIR")
			i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == "want" })
			if *rewrite {
				if i < 0 {
					i = len(a.Files)
					a.Files = append(a.Files, txtar.File{Name: "want"})
				}
				a.Files[i].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if i < 0 {
				t.Fatalf("no file want; got\n%s", got)
			}
			if diff := cmp.Diff(string(a.Files[i].Data), got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestAllErrorsAreToldWithTheirPlaces(t *testing.T) {
	archives(t, "errors", func(t *testing.T, dir, target string, vars map[string]string) string {
		_, err := bundle.Load(dir, target, vars)
		all, ok := errors.AsType[bundle.Errors](err)
		if !ok || len(all) == 0 {
			t.Fatalf("Load: %v", err)
		}
		return err.Error() + "\n"
	})
}

func TestWhatIsNotRunIsAWarning(t *testing.T) {
	archives(t, "warnings", func(t *testing.T, dir, target string, vars map[string]string) string {
		p, err := bundle.Load(dir, target, vars)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(p.WarningTexts(), "\n") + "\n"
	})
}

func load(t *testing.T, target string, vars map[string]string, archive string) *bundle.Project {
	t.Helper()
	p, err := bundle.Load(unpack(t, txtar.Parse([]byte(archive))), target, vars)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const full = `
-- databricks.yml --
bundle:
  name: Demo_1
include:
  - resources/**
variables:
  catalog: {default: cat}
  schema: {default: "${bundle.name}_${bundle.target}"}
  eager: {default: true}
  topic: {default: t}
targets:
  dev:
    default: true
    mode: development
  prod:
    variables:
      topic: from_target
      schema: {default: gold}
    resources:
      pipelines:
        p:
          configuration: {extra: "1", shared: over}
          libraries:
            - file: {path: src/more.sql}
-- resources/deep/p.yml --
resources:
  pipelines:
    p: &base
      name: ${bundle.name} readings
      catalog: ${var.catalog}
      schema: ${var.schema}
      continuous: ${var.eager}
      configuration:
        topic: ${var.topic}
        path: ${workspace.file_path}/data
        user: ${workspace.current_user.userName}
        shared: base
        number: 007
      libraries:
        - glob: {include: ../../src/p/**}
    q:
      <<: *base
      name: q
      development: true
      configuration: {me: "${resources.pipelines.p.id} ${resources.pipelines.p.name}"}
      libraries:
        - glob: {include: "../../src/?*.sql"}
-- src/p/b.sql --
SELECT 'b';
-- src/p/x/a.sql --
SELECT 'a';
-- src/p/notes.txt --
no SQL
-- src/more.sql --
SELECT 'more';
-- marisma.yml --
hub: {name: "${var.catalog}-hub", partitions: 8, topic: x.y, retention: 36h, retention_bytes: 20GB, host: plant.local}
listeners: {http: "0.0.0.0:80", mqtts: "off", mqtt: "localhost:1883"}
devices: [a, {id: b}, {prefix: c-, count: 2}, {prefix: d, count: 100}]
memory: 2GiB
cache: 1GiB
data: ../data
`

func TestATargetIsLaidOverTheBundle(t *testing.T) {
	dev := load(t, "", nil, full)
	prod := load(t, "prod", map[string]string{"catalog": "main2"}, full)
	files := []bundle.SourceFile{{Path: "src/p/b.sql", Text: "SELECT 'b';\n"}, {Path: "src/p/x/a.sql", Text: "SELECT 'a';\n"}}
	more := bundle.SourceFile{Path: "src/more.sql", Text: "SELECT 'more';\n"}
	conf := func(p *bundle.Project, topic, shared string) map[string]string {
		return map[string]string{
			"topic": topic, "path": p.Dir + "/data", "user": "local@localhost", "shared": shared, "number": "007",
		}
	}
	prodConf := conf(prod, "from_target", "over")
	prodConf["extra"] = "1"
	for _, c := range []struct {
		p    *bundle.Project
		want []bundle.Pipeline
	}{
		{dev, []bundle.Pipeline{
			{Key: "p", Name: "[dev local] Demo_1 readings", Catalog: "cat", Schema: "Demo_1_dev", Continuous: true, Development: true, Configuration: conf(dev, "t", "base"), Files: files},
			{Key: "q", Name: "[dev local] q", Catalog: "cat", Schema: "Demo_1_dev", Continuous: true, Development: true, Configuration: map[string]string{"me": "p Demo_1 readings"}, Files: []bundle.SourceFile{more}},
		}},
		{prod, []bundle.Pipeline{
			{Key: "p", Name: "Demo_1 readings", Catalog: "main2", Schema: "gold", Continuous: true, Configuration: prodConf, Files: append([]bundle.SourceFile{more}, files...)},
			{Key: "q", Name: "q", Catalog: "main2", Schema: "gold", Continuous: true, Development: true, Configuration: map[string]string{"me": "p Demo_1 readings"}, Files: []bundle.SourceFile{more}},
		}},
	} {
		if c.p.Pipelines[0].Pos != (bundle.Pos{File: "resources/deep/p.yml", Line: 3, Col: 5}) {
			t.Errorf("position %s", c.p.Pipelines[0].Pos)
		}
		for i := range c.p.Pipelines {
			c.p.Pipelines[i].Pos = bundle.Pos{}
		}
		if diff := cmp.Diff(c.want, c.p.Pipelines); diff != "" {
			t.Errorf("target %s: -want +got\n%s", c.p.Target, diff)
		}
	}
}

func TestTheLocalFileIsRead(t *testing.T) {
	p := load(t, "", nil, full)
	wantHub := bundle.Hub{Name: "cat-hub", Partitions: 8, Topic: "x.y", Retention: 36 * time.Hour, RetentionBytes: 20e9, Host: "plant.local"}
	if diff := cmp.Diff(wantHub, p.Hub); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(bundle.Listeners{HTTP: "0.0.0.0:80", MQTT: "localhost:1883"}, p.Listeners); diff != "" {
		t.Error(diff)
	}
	ids := p.DeviceIDs()
	if diff := cmp.Diff([]string{"a", "b", "c-01", "c-02", "d001"}, ids[:5]); diff != "" || len(ids) != 104 || ids[103] != "d100" {
		t.Errorf("%s, %d devices to %s", diff, len(ids), ids[len(ids)-1])
	}
	if p.Memory != 2<<30 || p.Cache != 1<<30 || p.DataDir() != filepath.Join(filepath.Dir(p.Dir), "data") {
		t.Errorf("memory %d, data %s", p.Memory, p.DataDir())
	}
	t.Setenv("MARISMA_DATA", "/else/where")
	if p.DataDir() != "/else/where" || p.CAFile() != "/else/where/auth/ca.pem" {
		t.Errorf("data %s, CA %s", p.DataDir(), p.CAFile())
	}
}

func TestASmallBundleHasDefaults(t *testing.T) {
	p := load(t, "", nil, "-- databricks.yml --\nbundle: {name: X_y z}\n")
	want := &bundle.Project{
		Dir: p.Dir, Name: "X_y z", Target: "default", Data: filepath.Join(p.Dir, ".marisma"),
		Hub:       bundle.Hub{Name: "x-y-z", Partitions: 4, Topic: "telemetry", Retention: 7 * 24 * time.Hour},
		Listeners: bundle.Listeners{HTTP: "127.0.0.1:8080", MQTTS: "127.0.0.1:8883"},
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
	if got := p.Qualify("t"); got != "main.default.t" {
		t.Error(got)
	}
}

func TestTableNamesAreQualifiedByTheFirstPipeline(t *testing.T) {
	p := &bundle.Project{Pipelines: []bundle.Pipeline{{Catalog: "c", Schema: "s"}, {Catalog: "d"}}}
	for in, want := range map[string]string{"t": "c.s.t", "x.t": "c.x.t", "a.b.t": "a.b.t"} {
		if got := p.Qualify(in); got != want {
			t.Errorf("Qualify(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestTheExamplesLoadWithoutWarnings(t *testing.T) {
	for name, devices := range map[string]int{"plant": 50, "air": 0} {
		for _, target := range []string{"", "local"} {
			p, err := bundle.Load(filepath.Join("..", "..", "examples", name), target, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Warnings) > 0 || len(p.Pipelines) != 1 || len(p.Pipelines[0].Files) < 3 || len(p.DeviceIDs()) != devices {
				t.Errorf("%s: %d devices, %+v", name, len(p.DeviceIDs()), p)
			}
		}
	}
}

func TestInitWritesAProjectThatLoads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "My plant!")
	files, err := bundle.Init(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, err := os.Stat(f); err != nil {
			t.Error(err)
		}
	}
	p, err := bundle.Load(dir, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "my_plant" || len(p.Warnings) != 0 || len(p.Pipelines) != 1 || len(p.Pipelines[0].Files) != 3 {
		t.Errorf("project %+v", p)
	}
	if diff := cmp.Diff([]string{"press-01", "oven-01", "pump-01"}, p.DeviceIDs()); diff != "" {
		t.Error(diff)
	}
	for _, f := range p.Pipelines[0].Files {
		for name := range strings.SplitSeq(f.Text, "${") {
			if key, _, ok := strings.Cut(name, "}"); ok && !strings.Contains(key, "\n") && p.Pipelines[0].Configuration[key] == "" {
				t.Errorf("%s: ${%s} has no value in the configuration", f.Path, key)
			}
		}
	}
	if _, err := bundle.Init(dir); err == nil {
		t.Error("wrote over a project")
	}
}

func TestADataFolderIsNoPartOfTheProject(t *testing.T) {
	p := load(t, "", nil, `
-- databricks.yml --
bundle: {name: demo}
resources: {pipelines: {p: {libraries: [{glob: {include: "**"}}]}}}
-- src/a.sql --
SELECT 1;
-- data/marisma.json --
{}
-- data/b.sql --
SELECT 2;
-- .hidden/c.sql --
SELECT 3;
`)
	if got := p.Pipelines[0].Files; len(got) != 1 || got[0].Path != "src/a.sql" {
		t.Errorf("files %+v", got)
	}
}

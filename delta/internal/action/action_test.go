package action

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestACommitFileIsReadAsWritten(t *testing.T) {
	n, off := int64(7), int32(1)
	set := &Set{
		Info:     &CommitInfo{Timestamp: 5, Operation: "WRITE", OperationParameters: map[string]string{"mode": "Append"}, ReadVersion: &n, OperationMetrics: map[string]string{"numFiles": "1"}, TxnID: "x", IsBlindAppend: true},
		Protocol: &Protocol{MinReaderVersion: 3, MinWriterVersion: 7, ReaderFeatures: []string{"a"}, WriterFeatures: []string{"a", "b"}},
		Metadata: &Metadata{ID: "i", Format: Format{Provider: "parquet", Options: map[string]string{}}, SchemaString: `{"type":"struct"}`, PartitionColumns: []string{"p"}, Configuration: map[string]string{"k": "<v>"}, CreatedTime: 9},
		Txns:     []Txn{{AppID: "app", Version: 3, LastUpdated: 4}},
		Domains:  []Domain{{Domain: "d", Configuration: "{}"}},
		Removes:  []Remove{{Path: "r", DeletionTimestamp: 6, DataChange: true, PartitionValues: Values{"p": "x"}, Size: 1}},
		Adds: []Add{
			{Path: "a%20b", PartitionValues: Values{"p": "", "q": "é\"<&>\\"}, Size: 10, ModificationTime: 11, DataChange: true, Stats: `{"numRecords":1}`, Tags: map[string]string{"t": "v"}},
			{Path: "b", PartitionValues: Values{"p": "x"}, DeletionVector: &DeletionVector{StorageType: "u", PathOrInlineDv: "ab", Offset: &off, SizeInBytes: 3, Cardinality: 2}, BaseRowID: &n, DefaultRowCommitVersion: &n},
		},
	}
	data, err := set.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := new(Decoder).Read(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(set, got); d != "" {
		t.Error(d)
	}
	var add Add
	text, _ := json.Marshal(set.Adds[0])
	if err := json.Unmarshal(text, &add); err != nil || cmp.Diff(set.Adds[0], add) != "" {
		t.Errorf("an add does not survive JSON: %v %s", err, text)
	}
}

func TestOddCommitLines(t *testing.T) {
	for _, c := range []struct {
		name, line, want string
	}{
		{"text after the object", `{"add":{"path":"a"}} trailing words`, ""},
		{"stats null", `{"add":{"path":"a","stats":"null","partitionValues":{"p":null}}}`, ""},
		{"unknown action and member", `{"future":{"x":[1,{"y":null}]},"add":{"path":"a","more":1e5}}`, ""},
		{"number as partition value", `{"add":{"path":"a","partitionValues":{"p":7}}}`, ""},
		{"commitInfo of another shape", `{"commitInfo":{"timestamp":"x","operationParameters":[1]}}`, ""},
		{"no path", `{"add":{"size":1}}`, "no path"},
		{"open brace", `{`, "malformed"},
		{"bare word", `{"add":{"path":tru}}`, "malformed"},
		{"leading zero", `{"add":{"path":"a","size":01}}`, "malformed"},
		{"control character", "{\"add\":{\"path\":\"a\x01\"}}", "malformed"},
	} {
		var set Set
		err := new(Decoder).Line([]byte(c.line), &set)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestPathsAreDecodedOnce(t *testing.T) {
	for in, want := range map[string]string{
		"a/b.parquet": "a/b.parquet", "a%20b": "a b", "p=a%252Fb/x": "p=a%2Fb/x", "/p": "/p", "file:/p": "/p", "file:///p": "/p",
		"file:/a%25b": "/a%b", "a+b": "a+b", "50%": "50%", "s3://b/k%20k": "s3://b/k k", "a:b": "a:b",
		"./a": "a", "a//b": "a/b", "a/./b": "a/b", "../t/a": "../t/a", "x/../../t/a": "../t/a", "//p": "/p", "file:/x/../p": "/p", "s3://b//k": "s3://b//k", "a..b/..c": "a..b/..c",
	} {
		if got := Canonical(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	for _, p := range []string{"plain", "sp ace", "50%", "ñ☃", "a:b", "a?b#c", "[x]^`{y}", "a+b", "\x7f"} {
		if got := Canonical(Encode(p)); got != p {
			t.Errorf("%q comes back as %q", p, got)
		}
	}
	for in, want := range map[string]bool{"/a": true, "s3://b/k": true, "a:b": false, "a//b": false, "1x://y": false, "a=k:/v": false} {
		if Absolute(in) != want {
			t.Errorf("%s: absolute %v", in, !want)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, s := range []string{
		`{"add":{"path":"a%20b","partitionValues":{"p":"x","q":null},"size":1,"modificationTime":2,"dataChange":true,"stats":"{\"numRecords\":1}","tags":{"a":"b"}}}`,
		`{"remove":{"path":"r","deletionTimestamp":1,"dataChange":false,"deletionVector":{"storageType":"u","pathOrInlineDv":"x","offset":1,"sizeInBytes":2,"cardinality":3}}}`,
		`{"txn":{"appId":"a","version":1}}`, `{"commitInfo":{"operationParameters":{"a":[1]}}}`, `{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}`,
		`{"metaData":{"id":"1","schemaString":"{}","partitionColumns":["\ud83d\ude00"]}}`, `{"add":null}`, `{}`, `{"add":{"path":"\u0000\ud800"}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var set Set
		err := new(Decoder).Line(line, &set)
		var ref struct {
			Add *struct {
				Path string
				Size int64
			}
		}
		if json.Valid(line) && json.Unmarshal(line, &ref) == nil && err == nil && len(set.Adds) == 1 && ref.Add != nil &&
			strings.Count(string(line), "add") == 1 && strings.Count(strings.ToLower(string(line)), "path") == 1 && strings.Count(strings.ToLower(string(line)), "size") <= 1 {
			if set.Adds[0].Path != ref.Add.Path && !strings.ContainsRune(ref.Add.Path, '\uFFFD') {
				t.Errorf("path %q, encoding/json says %q", set.Adds[0].Path, ref.Add.Path)
			}
		}
		if err != nil {
			return
		}
		data, err := set.Encode()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := new(Decoder).Read(strings.NewReader(string(data)))
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, data)
		}
		if len(again.Adds) != len(set.Adds) || len(again.Removes) != len(set.Removes) {
			t.Fatal("actions were lost")
		}
		for i := range set.Adds {
			_ = Key(set.Adds[i].Path, set.Adds[i].DeletionVector)
		}
	})
}

func TestMembers(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: ``,
		`{"numRecords": 3 ,"minValues":{"a":"}\"{","b":{"c":[1,{}]}}, "x":[{"y":1}],"z":null}`: `numRecords=3;minValues={"a":"}\"{","b":{"c":[1,{}]}};x=[{"y":1}];z=null;`,
		`{"é":{}}`:          `é={};`,
		`{"a":{"b":1}`:      `a={"b":1};!`,
		`{"a":{"b":"}`:      `!`,
		`{"a":{"b":"\`:      `!`,
		`{"a":{`:            `!`,
		`{"a":tru}`:         `!`,
		`[1]`:               `!`,
		`null`:              `!`,
		``:                  `!`,
		`{"a" {"b":1}}`:     `!`,
		`{"a":{"b":1} "c"}`: `a={"b":1};!`,
	} {
		got := ""
		if err := Members([]byte(text), func(key, value []byte) { got += string(key) + "=" + string(value) + ";" }); err != nil {
			got += "!"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// Actions that go over several lines are read, one after the other and beside
// such that keep to a line; one without end is not.
func TestActionsOverSeveralLines(t *testing.T) {
	text := `{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}
{
  "add": {
    "path": "a } { \" b",
    "partitionValues": {
      "p": "x"
    },
    "size": 1
  }
} trailing words
{"add":{"path":"b"}}
{ "add": { "path": "c" }, "remove": { "path": "d",
  "dataChange": true } }

{
  "add": {"path": "` + strings.Repeat("e", 100_000) + `"
  }
}`
	got, err := new(Decoder).Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, a := range got.Adds {
		paths = append(paths, a.Path[:min(len(a.Path), 11)])
	}
	if want := []string{"a } { \" b", "b", "c", "eeeeeeeeeee"}; cmp.Diff(want, paths) != "" || got.Protocol == nil || len(got.Removes) != 1 {
		t.Errorf("%q, %d removes", paths, len(got.Removes))
	}
	for torn, want := range map[string]string{
		"{\"add\":{\"path\":\"a\"}}\n{\"add\":{\n\"path\":\"b\"":      "line 2: ",
		"{\"add\":{\"path\":\"a\n\"}}\n":                              "line 1: ",
		"{\"add\":\n{\"path\":\"a\"}\n\n{\"add\":{\"path\":\"b\"}}\n": "line 1: ",
	} {
		if _, err := new(Decoder).Read(strings.NewReader(torn)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", torn, err)
		}
	}
}

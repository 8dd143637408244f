package objstore_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/objstore"
)

func TestParse(t *testing.T) {
	az := func(account, container, endpoint, prefix string) objstore.Location {
		return objstore.Location{Kind: objstore.Azure, Account: account, Container: container, Endpoint: endpoint, Prefix: prefix}
	}
	blob := "https://acct.blob.core.windows.net"
	for address, want := range map[string]objstore.Location{
		"/data/t":                             {Kind: objstore.File, Prefix: "/data/t"},
		"data/t":                              {Kind: objstore.File, Prefix: "data/t"},
		"file:///data/a%20t/":                 {Kind: objstore.File, Prefix: "/data/a t"},
		"file:/data/t":                        {Kind: objstore.File, Prefix: "/data/t"},
		"file://localhost/t":                  {Kind: objstore.File, Prefix: "/t"},
		"s3://b":                              {Kind: objstore.S3, Container: "b"},
		"s3a://b/p/q/":                        {Kind: objstore.S3, Container: "b", Prefix: "p/q"},
		"S3://b/p%20q/r=ü":                    {Kind: objstore.S3, Container: "b", Prefix: "p%20q/r=ü"},
		"az://c/p":                            az("", "c", "", "p"),
		"azure://c":                           az("", "c", "", ""),
		"abfss://c/p":                         az("", "c", "", "p"),
		"abfss://c@acct.dfs.core.windows.net": az("acct", "c", blob, ""),
		"abfss://c@acct.dfs.core.windows.net/p/x y/":               az("acct", "c", blob, "p/x y"),
		"abfss://c@acct.blob.core.windows.net/p":                   az("acct", "c", blob, "p"),
		"wasbs://c@acct.blob.core.windows.net/p":                   az("acct", "c", blob, "p"),
		"abfss://c@acct.dfs.core.chinacloudapi.cn/p":               az("acct", "c", "https://acct.blob.core.chinacloudapi.cn", "p"),
		"abfss://c@acct.z01.dfs.storage.azure.net/p":               az("acct", "c", "https://acct.z01.blob.storage.azure.net", "p"),
		"https://acct.blob.core.windows.net/c/p%20q":               az("acct", "c", blob, "p q"),
		"https://acct.dfs.core.windows.net/c":                      az("acct", "c", blob, ""),
		"http://127.0.0.1:10000/devstoreaccount1/c/p":              az("devstoreaccount1", "c", "http://127.0.0.1:10000/devstoreaccount1", "p"),
		"http://localhost:10000/devstoreaccount1/c":                az("devstoreaccount1", "c", "http://localhost:10000/devstoreaccount1", ""),
		"abfss://ws@onelake.dfs.fabric.microsoft.com/lh.Lakehouse": az("onelake", "ws", "https://onelake.blob.fabric.microsoft.com", "lh.Lakehouse"),
	} {
		got, err := objstore.Parse(address)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", address, err, diff)
		}
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for address, want := range map[string]string{
		"":                                    "empty",
		"gs://b/p":                            `scheme "gs"`,
		"file://host/p":                       "three slashes",
		"s3:///p":                             "bucket",
		"s3://key:hush@b/p":                   "credentials by the options",
		"s3://b/a/../c":                       "a/../c",
		"abfss://c@acct/p":                    "abfss://c@acct.dfs.core.windows.net/p",
		"abfss://acct.dfs.core.windows.net/p": "is a host, not a container",
		"abfss://@acct.dfs.core.windows.net/": "container",
		"az:///p":                             "container",
		"https://acct.blob.core.windows.net":  "names no container",
		"https://acct.blob.core.windows.net/c/p?sv=1&sig=hush": "has a query",
		"https://user:hush@acct.blob.core.windows.net/c":       "password",
		"https://b.s3.eu-west-1.amazonaws.com/p":               "s3://bucket/path",
		"https://example.com/c":                                "no storage host",
		"http://127.0.0.1:10000/devstoreaccount1":              "names no container",
	} {
		_, err := objstore.Parse(address)
		if !errors.Is(err, objstore.ErrInvalid) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("abfss://c@acct.dfs.core.windows.net/p")
	f.Add("http://127.0.0.1:1/a/c/p%2F..")
	f.Fuzz(func(t *testing.T, address string) {
		loc, err := objstore.Parse(address)
		if err == nil && loc.Kind != objstore.File && (loc.Container == "" || loc.Prefix != "" && objstore.CheckKey(loc.Prefix) != nil) {
			t.Errorf("%+v", loc)
		}
	})
}

func TestSecretsDoNotShow(t *testing.T) {
	type options struct{ Key objstore.Secret }
	o := options{"hush"}
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(o), fmt.Sprintf("%+v %#v %q %s %x", o, o, o, o.Key, o), string(b)} {
		if strings.Contains(text, "hush") || strings.Contains(text, "68757368") {
			t.Error(text)
		}
	}
}

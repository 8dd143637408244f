package xmltree

import (
	"errors"
	"strings"
	"testing"
)

func TestPathsGiveWhatSparkGives(t *testing.T) {
	const doc = `<a><b id="1">x</b><b id="2">y</b><c k="v">z<!--n--></c></a>`
	for path, want := range map[string]string{
		"a/b/text()": "x|y", "a/c/@k": "v", "a/b[2]/text()": "y", "//b/text()": "x|y", "a/b[@id='2']/text()": "y",
		"a/b[last()]/text()": "y", "a/d": "", "a/*/text()": "x|y|z", "a/b/following-sibling::c/text()": "z", "a/c/comment()": "n",
	} {
		p, err := CompilePath(path)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Parse(doc, false)
		if err != nil {
			t.Fatal(err)
		}
		r, err := p.Eval(d)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range r.Nodes {
			got = append(got, n.Text)
		}
		if s := strings.Join(got, "|"); s != want {
			t.Errorf("%s: %q, want %q", path, s, want)
		}
	}
}

func TestMalformedTextsAreRefused(t *testing.T) {
	for _, s := range []string{"", "x", "<r>", "<r></s>", "<r", "</r>", "<r>&nosuch;</r>", "<r>&#x0;</r>", "x<r/>", "<r/><r/>",
		strings.Repeat("<a>", MaxDepth+1) + strings.Repeat("</a>", MaxDepth+1),
		`<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><r>&e;</r>`,
		`<!DOCTYPE r [<!ENTITY a "&b;"><!ENTITY b "x">]><r>&a;</r>`} {
		if _, err := Parse(s, false); !errors.Is(err, ErrMalformed) {
			t.Errorf("%.40q: %v", s, err)
		}
	}
}

func TestPlainEntitiesOfADTDAreKnown(t *testing.T) {
	const doc = `<!DOCTYPE r [<!ENTITY e "v">]><r>&e;</r>`
	d, err := Parse(doc, false)
	if err != nil || d.Root().Value() != "v" {
		t.Errorf("%v %v", d, err)
	}
	if _, err := Parse(doc, true); err == nil {
		t.Error("a record knows the entity")
	}
}

func TestWhatFollowsTheFirstRecordIsNotRead(t *testing.T) {
	d, err := Parse("<r><a>1</a></r><r", true)
	if err != nil || d.Root().Inner != "<a>1</a>" {
		t.Errorf("%v %v", d, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`<r a="1"><b>x</b><![CDATA[<q>]]>t<!-- c --><?p i?></r>`, `<p:r xmlns:p="u"><p:a/></p:r>`, `<!DOCTYPE a [<!ENTITY e "v">]><a>&e;</a>`, "<a>", "<a/><"} {
		f.Add(s, "a/b[1]/@k | //text()")
	}
	f.Add("<a/>", "a[")
	f.Add("<a/>", "count(//*) div 0")
	f.Fuzz(func(t *testing.T, doc, path string) {
		d, err := Parse(doc, len(doc)%2 == 0)
		if err != nil {
			return
		}
		names := NamesOf(nil)
		d.Root().Fields(&names)
		p, err := CompilePath(path)
		if err != nil || len(doc) > 1<<10 || strings.Count(path, "/") > 8 {
			return
		}
		if r, err := p.Eval(d); err == nil {
			_, _, _ = r.String(), r.Number(), r.Bool()
		}
	})
}

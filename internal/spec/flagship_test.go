package spec

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"patchbay/internal/diag"
	"patchbay/internal/yamltext"
)

const flagship = "../../capabilities/flex-interactions.yaml"

func loadFlagship(t testing.TB) (*Document, []byte, diag.List) {
	t.Helper()
	source := read(t, flagship)
	doc, list := Load(filepath.Base(flagship), source)
	return doc, source, list
}

// sourceText returns the characters of a single-line span, counting lines and
// columns without the loader's help.
func sourceText(source []byte, s diag.Span) (string, bool) {
	source = bytes.TrimPrefix(source, []byte(yamltext.ByteOrderMark))
	source = bytes.ReplaceAll(source, []byte("\r\n"), []byte("\n"))
	source = bytes.ReplaceAll(source, []byte("\r"), []byte("\n"))
	lines := bytes.Split(source, []byte("\n"))
	if s.Line < 1 || s.Line > len(lines) {
		return "", false
	}
	runes := []rune(string(lines[s.Line-1]))
	if s.Col < 1 || s.EndCol < s.Col || s.EndCol-1 > len(runes) {
		return "", false
	}
	return string(runes[s.Col-1 : s.EndCol-1]), true
}

// Every scalar that stands on one line as it is has exactly its characters as
// its span; of all others no part can be addressed.
func TestSpanIsValue(t *testing.T) {
	files := map[string]int{ // and how many scalars are folded, escaped or of several lines
		flagship:                         3,
		"testdata/ok/alpha2_lists.yaml":  0,
		"testdata/ok/beta4_maps.yaml":    0,
		"testdata/ok/yaml_features.yaml": 4,
		"testdata/ok/bom_crlf.yaml":      1,
	}
	for path, wantWhole := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			source := read(t, path)
			doc, _ := Load(path, source)
			exact, whole := 0, 0
			texts(reflect.ValueOf(*doc), func(text Text) {
				if text.Span.EndLine != text.Span.Line {
					whole++
					if sub := text.Span.Sub(1, 1); sub != text.Span {
						t.Errorf("%v: Sub of a scalar that is not as written is %+v, want it whole", text.Span, sub)
					}
					return
				}
				exact++
				if text.Span.EndCol == text.Span.Col && text.Value != "" {
					return // follows from another value
				}
				if got, ok := sourceText(source, text.Span); !ok || got != text.Value {
					t.Errorf("%v: source has %q, value is %q", text.Span, got, text.Value)
				}
			})
			if exact < 9 || whole != wantWhole {
				t.Errorf("%d scalars as written and %d others, want at least 9 and %d", exact, whole, wantWhole)
			}
		})
	}
}

func TestFlagshipCredentialSpan(t *testing.T) {
	doc, source, list := loadFlagship(t)
	if list.HasErrors() || list.Count(diag.Warning) > 0 {
		t.Errorf("findings:\n%s", printed(t, source, list))
	}
	user := doc.Consumes[0].Authentication.Username
	if want := (diag.Span{File: "flex-interactions.yaml", Line: 115, Col: 18, EndLine: 115, EndCol: 37}); user.Span != want {
		t.Errorf("span of %q is %+v, want %+v", user.Value, user.Span, want)
	}
	var out diag.List
	out.Warnf("bind-undeclared-key", user.Span.Sub(strings.Index(user.Value, "env"), len("env.TWILIO_USER")), "env.TWILIO_USER is not declared in binds").
		WithHint("binds %q declares %s (line %d)", doc.Binds[0].Namespace.Value, doc.Binds[0].Keys[0].Name.Value, doc.Binds[0].Keys[0].Name.Span.Line)
	const want = `flex-interactions.yaml:115:20: warning: env.TWILIO_USER is not declared in binds [bind-undeclared-key]
115 |       username: '{{env.TWILIO_USER}}'
    |                    ^~~~~~~~~~~~~~~
    hint: binds "env" declares TWILIO_API_KEY (line 14)
1 warning
`
	if got := printed(t, source, out); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

// The corpus is test data beside the repository, 117 files of one generator.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("../../../shared/corpus/twilio/*.yaml")
	if err != nil || len(files) == 0 {
		t.Skip("no corpus beside the repository")
	}
	count := struct{ files, consumed, exposed, tools, inputs, with, basic, bearer int }{files: len(files)}
	var all diag.List
	for _, path := range files {
		source := read(t, path)
		doc, list := Load(filepath.Base(path), source)
		if list.HasErrors() {
			t.Errorf("errors:\n%s", printed(t, source, list))
		}
		all = append(all, list...)
		for _, c := range doc.Consumes {
			switch c.Authentication.Type.Value {
			case "basic":
				count.basic++
			case "bearer":
				count.bearer++
			}
			for _, r := range c.Resources {
				count.consumed += len(r.Operations)
				for _, op := range r.Operations {
					count.inputs += len(op.Inputs)
				}
			}
		}
		for _, e := range doc.Exposes {
			count.tools += len(e.Tools)
			for _, tool := range e.Tools {
				count.with += len(tool.Run.With)
			}
			for _, r := range e.Resources {
				count.exposed += len(r.Operations)
				for _, op := range r.Operations {
					count.with += len(op.Run.With)
				}
			}
		}
	}
	got := fmt.Sprintf("files %d\nconsumed operations %d\nexposed operations %d\ntools %d\nconsumed inputs %d\nwith entries %d\nbasic %d, bearer %d\n%s\n",
		count.files, count.consumed, count.exposed, count.tools, count.inputs, count.with, count.basic, count.bearer, diag.Summary(all))
	for _, c := range diag.ByCode(all) {
		got += fmt.Sprintf("%s %s %d\n", c.Severity, c.Code, c.Count)
	}
	golden(t, "testdata/corpus.golden", got)
}

// Loading may cost the tree of the YAML library and little more: the start of
// the program waits for it.
func TestLoadAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	source := read(t, flagship)
	tree := testing.AllocsPerRun(20, func() { yamlTree(t, source) })
	load := testing.AllocsPerRun(20, func() { Load("x", source) })
	const ceiling = 120
	if load-tree > ceiling {
		t.Errorf("loading allocates %.0f times on top of the tree's %.0f, want at most %d", load-tree, tree, ceiling)
	}
}

func yamlTree(t testing.TB, source []byte) {
	t.Helper()
	loader, err := yaml.NewLoader(bytes.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	var n yaml.Node
	if err := loader.Load(&n); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkLoad compares loading with reading the YAML tree alone; the target
// is 1.3 times as long.
func BenchmarkLoad(b *testing.B) {
	source := read(b, flagship)
	b.Run("document", func(b *testing.B) {
		b.SetBytes(int64(len(source)))
		b.ReportAllocs()
		for b.Loop() {
			Load("x", source)
		}
	})
	b.Run("tree", func(b *testing.B) {
		b.SetBytes(int64(len(source)))
		b.ReportAllocs()
		for b.Loop() {
			yamlTree(b, source)
		}
	})
}

// FuzzLoad checks what holds for any input: there is a document, every place
// is in the file, a span on one line has the value's characters, and nothing
// reaches the terminal that it would obey.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/ok/*.yaml", "testdata/err/*.yaml"} {
		for _, path := range glob(f, pattern) {
			if info, err := os.Stat(path); err == nil && info.Size() < 8<<10 {
				f.Add(read(f, path))
			}
		}
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		doc, list := Load("f", source)
		if doc == nil {
			t.Fatal("no document")
		}
		for _, d := range list {
			inFile(t, source, d.Span)
			for _, r := range d.Related {
				inFile(t, source, r.Span)
			}
		}
		texts(reflect.ValueOf(*doc), func(text Text) {
			inFile(t, source, text.Span)
			s := text.Span // of no width where the text follows from another
			if s.EndLine != s.Line || s.EndCol == s.Col || text.Value == "apikey" {
				return
			}
			if got, _ := sourceText(source, s); got != text.Value {
				t.Errorf("%v: source has %q, value is %q", s, got, text.Value)
			}
		})
		for _, c := range printed(t, source, list) {
			if c != '\n' && (c < ' ' || c >= 0x7f && c < 0xa0) {
				t.Fatalf("control character %#x is printed", c)
			}
		}
	})
}

func inFile(t *testing.T, source []byte, s diag.Span) {
	t.Helper()
	if s.Line == 0 {
		return
	}
	lines := 1 + strings.Count(strings.ReplaceAll(string(source), "\r\n", "\n"), "\n") + strings.Count(strings.ReplaceAll(string(source), "\r\n", "\n"), "\r")
	switch {
	case s.Line < 1 || s.Line > lines || s.EndLine < s.Line || s.EndLine > lines+1:
		t.Errorf("%+v: the file has %d lines", s, lines)
	case s.Col < 1 || s.Col > utf8.RuneCount(source)+1 || s.EndLine == s.Line && s.EndCol < s.Col:
		t.Errorf("%+v: columns", s)
	}
}

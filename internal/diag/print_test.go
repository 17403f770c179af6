package diag

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func text(t testing.TB, list List, source string, opts TextOptions) string {
	t.Helper()
	var out bytes.Buffer
	sources := func(file string) []byte {
		if file != "f.yaml" {
			return nil
		}
		return []byte(source)
	}
	if err := PrintText(&out, list, sources, opts); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// one returns a list with one finding.
func one(s Span) List {
	var list List
	list.Warnf("a-code", s, "message")
	return list
}

func TestPrintText(t *testing.T) {
	for _, tt := range []struct {
		name   string
		source string
		span   Span
		want   string
	}{
		{"plain", "a: b\n  key: value\n", span(2, 8, 2, 13), `
2 |   key: value
  |        ^~~~~
`},
		{"first character", "key: value\n", span(1, 1, 1, 4), `
1 | key: value
  | ^~~
`},
		{"no width", "key: value\n", span(1, 5, 1, 5), `
1 | key: value
  |     ^
`},
		{"end of file", "key: value", span(1, 11, 1, 11), `
1 | key: value
  |           ^
`},
		{"rest of the line", "key: |  \n  x\n", span(1, 6, 2, 1), `
1 | key: |  
  |      ^
`},
		{"rest of a longer line", "key: one  \n  two\n", span(1, 6, 2, 1), `
1 | key: one  
  |      ^~~
`},
		{"wide line number", strings.Repeat("\n", 99) + "key: value\n", span(100, 6, 100, 11), `
100 | key: value
    |      ^~~~~
`},
		{"tabs", "\tkey:\tvalue\n", span(1, 7, 1, 12), `
1 |     key:    value
  |             ^~~~~
`},
		{"tab inside", "a\tb: c\n", span(1, 1, 1, 4), `
1 | a   b: c
  | ^~~~~
`},
		{"wide characters", "日本: 語\n", span(1, 5, 1, 6), `
1 | 日本: 語
  |       ^~
`},
		{"combining characters", "e\u0301e\u0301: x\n", span(1, 7, 1, 8), `
1 | ` + "e\u0301e\u0301" + `: x
  |     ^
`},
		{"control characters", "a: \x1b[31m\x07b\n", span(1, 10, 1, 11), `
1 | a: \x1b[31m\x07b
  |                ^
`},
		{"control sequences of one character", "a: \u009b31m\n", span(1, 4, 1, 5), `
1 | a: \x9b31m
  |    ^~~~
`},
		{"reordering characters", "a: \u202eb\u2066\n", span(1, 5, 1, 6), `
1 | a: \u202eb\u2066
  |          ^
`},
		{"tag characters", "a: \U000e0041b\n", span(1, 5, 1, 6), `
1 | a: \U000e0041b
  |              ^
`},
		{"bytes that are not UTF-8", "a: \xffb\n", span(1, 5, 1, 6), `
1 | a: \xffb
  |        ^
`},
		{"byte order mark", "\ufeffkey: value\n", span(1, 1, 1, 4), `
1 | key: value
  | ^~~
`},
		{"CRLF", "a: b\r\nkey: value\r\n", span(2, 6, 2, 11), `
2 | key: value
  |      ^~~~~
`},
		{"CR", "a: b\rkey: value\r", span(2, 6, 2, 11), `
2 | key: value
  |      ^~~~~
`},
		{"empty line", "a\n\nb\n", span(2, 1, 2, 1), `
2 | 
  | ^
`},
		{"line behind the end", "a\n", span(7, 1, 7, 2), "\n"},
		{"column behind the end", "abc\n", span(1, 9, 1, 12), `
1 | abc
  |    ^
`},
		{"long line, at its start", "key: " + strings.Repeat("x", 200) + "\n", span(1, 1, 1, 4), `
1 | key: ` + strings.Repeat("x", 95) + `…
  | ^~~
`},
		{"long line, at its end", strings.Repeat("x", 200) + " key\n", span(1, 202, 1, 205), `
1 | …` + strings.Repeat("x", 96) + ` key
  |                                                                                                   ^~~
`},
		{"long line, all of it", strings.Repeat("x", 300) + "\n", span(1, 1, 1, 301), `
1 | ` + strings.Repeat("x", 100) + `…
  | ^` + strings.Repeat("~", 99) + `
`},
		{"long line, in the middle", strings.Repeat("x", 200) + "key" + strings.Repeat("y", 200) + "\n", span(1, 201, 1, 204), `
1 | …` + strings.Repeat("x", 25) + "key" + strings.Repeat("y", 72) + `…
  |                           ^~~
`},
		{"endless line", strings.Repeat("x", longestLine+1) + "\n", span(1, 1, 1, 4), "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.span.String() + ": warning: message [a-code]" + tt.want
			if d := cmp.Diff(want, text(t, one(tt.span), tt.source, TextOptions{})); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestPrintTextParts(t *testing.T) {
	var list List
	list.Errorf("bad-name", span(2, 6, 2, 10), "the name is %q", "x\x1b[2Jy\nz").
		WithHint("one\ttwo").
		WithRelated(span(1, 1, 1, 2), "first here").
		WithRelated(Span{File: "other.yaml"}, "and there")
	list.Notef("no-place", Span{}, "about everything")
	list.Warnf("no-line", Span{File: "f.yaml"}, "about the file")
	list.Warnf("no-source", Span{File: "g.yaml", Line: 3, Col: 4}, "elsewhere")
	const want = `f.yaml:2:6: error: the name is "x\x1b[2Jy\nz" [bad-name]
2 | two: three
  |      ^~~~
    hint: one\ttwo
    see f.yaml:1:1: first here
    see other.yaml: and there
note: about everything [no-place]
f.yaml: warning: about the file [no-line]
g.yaml:3:4: warning: elsewhere [no-source]
`
	if d := cmp.Diff(want, text(t, list, "one\ntwo: three\n", TextOptions{})); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// Colour adds sequences and changes nothing else.
func TestPrintTextColor(t *testing.T) {
	list := one(span(1, 1, 1, 4))
	plain, colored := text(t, list, "key: value", TextOptions{}), text(t, list, "key: value", TextOptions{Color: true})
	want := "\x1b[1mf.yaml:1:1\x1b[0m: \x1b[1;33mwarning\x1b[0m: message [a-code]\n1 | key: value\n  | \x1b[1;32m^~~\x1b[0m\n"
	if d := cmp.Diff(want, colored); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	stripped := colored
	for _, seq := range []string{"\x1b[1m", "\x1b[1;33m", "\x1b[1;32m", "\x1b[0m"} {
		stripped = strings.ReplaceAll(stripped, seq, "")
	}
	if stripped != plain {
		t.Errorf("without colours %q, want %q", stripped, plain)
	}
}

func TestPrintTextMax(t *testing.T) {
	var list List
	list.Notef("n", Span{File: "f"}, "note 1")
	list.Warnf("w", Span{File: "f"}, "warning 1")
	list.Errorf("e", Span{File: "f"}, "error 1")
	list.Warnf("w", Span{File: "f"}, "warning 2")
	list.Errorf("e", Span{File: "f"}, "error 2")
	for limit, want := range map[int]string{
		1: "f: error: error 1 [e]\nand 1 error, 2 warnings, 1 note more\n",
		3: "f: warning: warning 1 [w]\nf: error: error 1 [e]\nf: error: error 2 [e]\nand 1 warning, 1 note more\n",
		5: text(t, list, "", TextOptions{}),
		9: text(t, list, "", TextOptions{}),
	} {
		if d := cmp.Diff(want, text(t, list, "", TextOptions{Max: limit})); d != "" {
			t.Errorf("Max %d (-want +got)\n%s", limit, d)
		}
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestPrintTextReportsTheWriter(t *testing.T) {
	if err := PrintText(failing{}, one(span(1, 1, 1, 1)), nil, TextOptions{}); err == nil || err.Error() != "disk full" {
		t.Errorf("error %v", err)
	}
}

func TestPrintJSON(t *testing.T) {
	var list List
	list.Errorf("a-code", span(1, 2, 1, 3), "a <b> & \x1b").WithHint("h").WithRelated(Span{File: "g"}, "r")
	list.Notef("b-code", Span{File: "f"}, "m")
	var out bytes.Buffer
	if err := PrintJSON(&out, list); err != nil {
		t.Fatal(err)
	}
	const want = `[
  {
    "severity": "error",
    "code": "a-code",
    "span": {
      "file": "f.yaml",
      "line": 1,
      "column": 2,
      "endLine": 1,
      "endColumn": 3
    },
    "message": "a <b> & \u001b",
    "hint": "h",
    "related": [
      {
        "span": {
          "file": "g"
        },
        "message": "r"
      }
    ]
  },
  {
    "severity": "note",
    "code": "b-code",
    "span": {
      "file": "f"
    },
    "message": "m"
  }
]
`
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	out.Reset()
	if err := PrintJSON(&out, nil); err != nil || out.String() != "[]\n" {
		t.Errorf("an empty list is %q, %v", out.String(), err)
	}
}

func TestSummaryAndByCode(t *testing.T) {
	var list List
	if got := Summary(list); got != "no findings" {
		t.Errorf("summary of nothing %q", got)
	}
	list.Notef("n", Span{}, "")
	if got := Summary(list); got != "1 note" {
		t.Errorf("summary %q", got)
	}
	for _, file := range []string{"a", "b"} {
		list.Errorf("e", Span{File: file}, "")
		list.Warnf("w", Span{File: "a"}, "")
	}
	list.Warnf("v", Span{}, "")
	if got := Summary(list); got != "2 errors, 3 warnings, 1 note" {
		t.Errorf("summary %q", got)
	}
	want := []CodeCount{{"e", Error, 2, 2}, {"w", Warning, 2, 1}, {"v", Warning, 1, 1}, {"n", Note, 1, 1}}
	if d := cmp.Diff(want, ByCode(list)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// FuzzPrintText checks that nothing a file says is obeyed by a terminal, that
// the underline stays below the line, and that JSON stays JSON.
func FuzzPrintText(f *testing.F) {
	f.Add("key: value\n", "message", 1, 6, 1, 11)
	f.Add("\t日本\x1b[31m\xff\u202e\r\nx", "m\x1b\n", 1, 2, 2, 1)
	f.Add(strings.Repeat("日", 200), "m", 1, 150, 1, 151)
	f.Fuzz(func(t *testing.T, source, message string, line, col, endLine, endCol int) {
		var list List
		list.Warnf("c", span(line, col, endLine, endCol), "%s", message).WithHint("h%s", message)
		out := text(t, list, source, TextOptions{})
		if !utf8.ValidString(out) {
			t.Fatalf("not UTF-8: %q", out)
		}
		for _, c := range out {
			if c != '\n' && hostile(c) {
				t.Fatalf("%U is printed: %q", c, out)
			}
		}
		lines := strings.Split(out, "\n")
		if len(lines) == 5 { // finding, source, underline, hint, end
			if r := render([]byte(lines[2])); r.width() > 2*lineWidth {
				t.Fatalf("an underline of %d columns", r.width())
			}
		} else if len(lines) != 3 {
			t.Fatalf("%d lines: %q", len(lines), out)
		}
		var buf bytes.Buffer
		if err := PrintJSON(&buf, list); err != nil || !json.Valid(buf.Bytes()) {
			t.Fatalf("JSON %q, %v", buf.String(), err)
		}
	})
}

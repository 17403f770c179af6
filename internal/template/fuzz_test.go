package template

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/jsonvalue"
)

// Nothing panics; errors point into the text; placeholders point at
// themselves; and a text without comments comes back when each placeholder is
// rendered as its own source.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		"", "plain", "{{x}}", "{{{x}}}", "{{& x}}", "a{{!c}}b", "{x}", "/a/{X}.json", "/{{a}}/{b}?c={d}", "{{{{a}}}}", "{\"a\":{{x}}}",
		"{{#x}}", "{{ }}", "{{a{b}}", "é{{ü}}", "{{a\n  b}}", "{}}", "{{!", "\xff{{\xff}}",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, path bool) {
		syntax := Value
		if path {
			syntax = Path
		}
		tmpl, err := Compile(text, syntax)
		if err != nil {
			fault, ok := errors.AsType[*Error](err)
			if !ok || fault.Col < 1 || fault.Col > utf8.RuneCountInString(text)+1 || fault.Message == "" {
				t.Fatalf("%q: error %#v", text, err)
			}
			return
		}
		runes := split(text)
		values := make([]jsonvalue.Value, 0, len(tmpl.Placeholders()))
		for _, p := range tmpl.Placeholders() {
			source := strings.Join(runes[p.Offset:p.Offset+p.Length], "")
			if source[0] != '{' || source[len(source)-1] != '}' || !strings.Contains(source, p.Name) || p.Name == "" {
				t.Fatalf("%q: placeholder %q points at %q", text, p.Name, source)
			}
			values = append(values, jsonvalue.StringOf(source))
		}
		next := 0
		bound := tmpl.Bind(func(string, int) (int, bool) {
			next++
			return next - 1, true
		})
		got, complete := bound.Append(nil, values, None)
		if !complete {
			t.Fatalf("%q: a value is missing", text)
		}
		if strings.Contains(text, "{{!") {
			return
		}
		if string(got) != text {
			t.Fatalf("%q came back as %q", text, got)
		}
		again, err := Compile(string(got), syntax)
		if err != nil {
			t.Fatalf("%q: %v", got, err)
		}
		if diff := cmp.Diff(tmpl.Segments(), again.Segments()); diff != "" {
			t.Fatalf("%q (-once +again):\n%s", text, diff)
		}
	})
}

// split cuts a text as code points are counted: an invalid byte is one.
func split(s string) []string {
	var out []string
	for len(s) > 0 {
		_, size := utf8.DecodeRuneInString(s)
		out = append(out, s[:size])
		s = s[size:]
	}
	return out
}

// What a mode writes is read back as the text that was inserted.
func FuzzModes(f *testing.F) {
	for _, seed := range []string{"", "a b/c?d=é&", "\"\\\n\x00", "..", "%41+~*", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		prefix := []byte("prefix ")
		v := jsonvalue.StringOf(text)
		nested := jsonvalue.ObjectOf([]jsonvalue.Member{{Name: "list", Value: jsonvalue.ArrayOf([]jsonvalue.Member{{Value: v}})}})
		for _, value := range []jsonvalue.Value{v, nested} {
			want := string(None.AppendValue(nil, &value))
			for _, mode := range []Mode{None, JSONString, URLSegment, URLQuery, FormValue} {
				out := mode.AppendValue(bytes.Clone(prefix), &value)
				encoded, ok := bytes.CutPrefix(out, prefix)
				if !ok {
					t.Fatalf("mode %d overwrote what was there: %q", mode, out)
				}
				got, ok := decode(string(encoded), mode)
				// JSON has no way to write bytes that are not UTF-8.
				lossy := mode == JSONString && !utf8.ValidString(want)
				if !ok || got != want && !lossy {
					t.Fatalf("mode %d: %q became %q, which is read as %q", mode, want, encoded, got)
				}
			}
		}
		list := jsonvalue.ArrayOf([]jsonvalue.Member{{Value: v}, {Value: v}})
		first, second, two := strings.Cut(string(URLSegment.AppendValue(nil, &list)), ",")
		one, ok := decode(first, URLSegment)
		if !two || !ok || one != text || second != first {
			t.Fatalf("a list of %q became %q and %q", text, first, second)
		}
	})
}

func decode(s string, mode Mode) (string, bool) {
	switch mode {
	case JSONString:
		v, err := jsonvalue.ParseString(`"` + s + `"`)
		return v.Text(), err == nil
	case FormValue:
		return DecodeSegment(strings.ReplaceAll(s, "+", " "))
	case URLSegment, URLQuery:
		return DecodeSegment(s)
	default:
		return s, true
	}
}

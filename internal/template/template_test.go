package template

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/jsonvalue"
)

// outline writes segments for a reader: literals quoted, placeholders as
// <name@offset+length>.
func outline(t *Template) string {
	var parts []string
	for _, s := range t.Segments() {
		if p := s.Placeholder; p != nil {
			parts = append(parts, fmt.Sprintf("<%s@%d+%d>", p.Name, p.Offset, p.Length))
		} else {
			parts = append(parts, fmt.Sprintf("%q", s.Literal))
		}
	}
	return strings.Join(parts, " ")
}

func compile(t testing.TB, text string, syntax Syntax) *Template {
	t.Helper()
	tmpl, err := Compile(text, syntax)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return tmpl
}

func TestValues(t *testing.T) {
	for _, tt := range []struct{ text, want, single string }{
		{"", "", ""},
		{"plain", `"plain"`, ""},
		{"{{x}}", "<x@0+5>", "x"},
		{"{{ env.TWILIO_USER }}", "<env.TWILIO_USER@0+21>", "env.TWILIO_USER"},
		{"{{{x}}}", "<x@0+7>", "x"},
		{"{{& x }}", "<x@0+8>", "x"},
		{"{{!why}}{{x}}", "<x@8+5>", "x"},
		{"Bearer {{token}}", `"Bearer " <token@7+9>`, ""},
		{"é{{ü}}{{b}}!", `"é" <ü@1+5> <b@6+5> "!"`, ""},
		{"a{{! {x} }}b", `"ab"`, ""},
		{"a{{!}}b{{!c}}{{x}}", `"ab" <x@13+5>`, ""},
		{"{{$select}} {{filter[x]}} {{@id}} {{a\n b}} {{a<b}}", `<$select@0+11> " " <filter[x]@12+13> " " <@id@26+7> " " <a` + "\n" + ` b@34+8> " " <a<b@43+7>`, ""},
		{`{"a":{"b":{{x}}}}`, `"{\"a\":{\"b\":" <x@10+5> "}}"`, ""},
		{`{"a":{"b":{}}}`, `"{\"a\":{\"b\":{}}}"`, ""},
		{"{x}", `"{x}"`, ""},
		{"{{x", `"{{x"`, ""},
		{"{{x}", `"{{x}"`, ""},
		{"x}}", `"x}}"`, ""},
		{"{{a{{b}}", `"{{a" <b@3+5>`, ""},
		{"{{{a}}", `"{" <a@1+5>`, ""},
		{"{{{{a}}}}", `"{" <a@1+7> "}"`, ""},
		{"{{a}b}}", `"{{a}b}}"`, ""},
		{"{{}}{{ }}{{&}}", `"{{}}{{ }}{{&}}"`, ""},
		{"{{!open", `"{{!open"`, ""},
	} {
		tmpl := compile(t, tt.text, Value)
		if diff := cmp.Diff(tt.want, outline(tmpl)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.text, diff)
		}
		if name, ok := tmpl.Single(); name != tt.single || ok != (tt.single != "") {
			t.Errorf("%q: Single gives %q, %v", tt.text, name, ok)
		}
		if plain := !strings.Contains(tt.want, "<"); tmpl.IsPlain() != plain || tmpl.IsPlain() != (len(tmpl.Placeholders()) == 0) {
			t.Errorf("%q: IsPlain is %v", tt.text, tmpl.IsPlain())
		}
		if tmpl.String() != tt.text {
			t.Errorf("%q: String gives %q", tt.text, tmpl)
		}
	}
}

func TestPlainText(t *testing.T) {
	for text, want := range map[string]string{"": "", "a{{!c}}b": "ab", "{x}": "{x}", "a{{x}}": ""} {
		if got := compile(t, text, Value).Text(); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestPaths(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"/v1/Interactions", `"/v1/Interactions"`},
		{"/a/{Sid}/b", `"/a/" <Sid@3+5> "/b"`},
		{"/a/{{Sid}}/b", `"/a/" <Sid@3+7> "/b"`},
		{"/a/{Sid}.json", `"/a/" <Sid@3+5> ".json"`},
		{"{a}{b}", `<a@0+3> <b@3+3>`},
		{"{ a }", `<a@0+5>`},
		{"/{filter[x]}/{$id}/{a-b.c}/{a\n     required}", `"/" <filter[x]@1+11> "/" <$id@13+5> "/" <a-b.c@19+7> "/" <a` + "\n     required@27+17>"},
		{"/é/{x}", `"/é/" <x@3+3>`},
		{"/a}/{b}}", `"/a}/" <b@4+3> "}"`},
		{"/{{x}}}", `"/" <x@1+5> "}"`},
		{"/{{{x}}}", `"/" <x@1+7>`},
		{"/{+x}/{#x}", `"/" <+x@1+4> "/" <#x@6+4>`},
		{"/a{{!c}}/b", `"/a/b"`},
	} {
		if diff := cmp.Diff(tt.want, outline(compile(t, tt.text, Path))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.text, diff)
		}
	}
}

func TestErrorsNameTheColumn(t *testing.T) {
	const unclosed = "the { begins no placeholder: a name and a } have to follow, and no other brace between them"
	for _, tt := range []struct {
		text    string
		syntax  Syntax
		col     int
		message string
	}{
		{"é {{#a}}x{{/a}}", Value, 3, "sections are not supported in templates"},
		{"{{x}}{{^ a}}", Value, 6, "sections are not supported in templates"},
		{"{{ /a }}", Value, 1, "sections are not supported in templates"},
		{"a{{> b}}", Value, 2, "partials are not supported in templates"},
		{"{{=<% %>=}}", Value, 1, "delimiters cannot be changed in templates"},
		{"/{{#a}}", Path, 2, "sections are not supported in templates"},
		{"/é/{a", Path, 4, unclosed},
		{"/{a}/{{b}", Path, 6, unclosed},
		{"/{a{b}}", Path, 2, unclosed},
		{"/{{!c", Path, 2, unclosed},
		{"/{}", Path, 2, "the placeholder has no name"},
		{"/{{ }}", Path, 2, "the placeholder has no name"},
		{strings.Repeat("{{x}}", MaxPlaceholders) + "é{{x}}", Value, 5*MaxPlaceholders + 2, "the text has more than 1000 placeholders"},
		{strings.Repeat("x", MaxSize+1), Value, 1, "the text is longer than 262144 bytes"},
	} {
		_, err := Compile(tt.text, tt.syntax)
		fault, ok := errors.AsType[*Error](err)
		if !ok {
			t.Errorf("%.40q: got %v, want an error", tt.text, err)
			continue
		}
		if diff := cmp.Diff(Error{Col: tt.col, Message: tt.message}, *fault); diff != "" {
			t.Errorf("%.40q (-want +got):\n%s", tt.text, diff)
		}
		if want := fmt.Sprintf("column %d: %s", tt.col, tt.message); err.Error() != want {
			t.Errorf("%.40q: got %q, want %q", tt.text, err, want)
		}
	}
}

// Texts of the greatest size compile in linear time, whatever their braces.
func TestHostileTexts(t *testing.T) {
	for _, unit := range []string{"{", "{{", "{{!", "{{!}}x", "{{ }}", "{{a{", "}", "{{{a}}"} {
		text := strings.Repeat(unit, MaxSize/len(unit))
		for _, syntax := range []Syntax{Value, Path} {
			tmpl, err := Compile(text, syntax)
			if _, ok := errors.AsType[*Error](err); (tmpl == nil) != ok {
				t.Errorf("%q repeated: %v", unit, err)
			}
		}
	}
}

// bindByName gives each distinct name the next slot.
func bindByName(tmpl *Template) (*Bound, map[string]int) {
	slots := map[string]int{}
	bound := tmpl.Bind(func(name string, _ int) (int, bool) {
		if _, ok := slots[name]; !ok {
			slots[name] = len(slots)
		}
		return slots[name], true
	})
	return bound, slots
}

func TestBind(t *testing.T) {
	tmpl := compile(t, "é{{a}}-{{nobody}}-{{a}}", Value)
	var asked []string
	bound := tmpl.Bind(func(name string, offset int) (int, bool) {
		asked = append(asked, fmt.Sprintf("%s@%d", name, offset))
		return 3, name == "a"
	})
	if diff := cmp.Diff([]string{"a@1", "nobody@7", "a@18"}, asked); diff != "" {
		t.Errorf("resolve was asked (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{3, -1, 3}, bound.Slots()); diff != "" {
		t.Errorf("slots (-want +got):\n%s", diff)
	}
	values := []jsonvalue.Value{3: jsonvalue.StringOf("A")}
	if got, complete := bound.Append([]byte("> "), values, None); string(got) != "> éA--A" || complete {
		t.Errorf("got %q, %v", got, complete)
	}
	if got, complete := bound.Append(nil, nil, None); string(got) != "é--" || complete {
		t.Errorf("without values: got %q, %v", got, complete)
	}

	single, _ := bindByName(compile(t, "{{!c}}{{a}}", Value))
	if slot, ok := single.Single(); slot != 0 || !ok {
		t.Errorf("Single gives %d, %v", slot, ok)
	}
	for _, b := range []*Bound{bound, tmpl.Bind(func(string, int) (int, bool) { return -5, true })} {
		if _, ok := b.Single(); ok {
			t.Errorf("slots %v: single", b.Slots())
		}
	}
}

func TestModes(t *testing.T) {
	const text = `a/b "é"` + "\n~*+%."
	for _, tt := range []struct {
		mode Mode
		json string
		want string
	}{
		{None, text, text},
		{JSONString, text, `a/b \"é\"\n~*+%.`},
		{URLSegment, text, "a%2Fb%20%22%C3%A9%22%0A~%2A%2B%25."},
		{URLQuery, text, "a%2Fb%20%22%C3%A9%22%0A~%2A%2B%25."},
		{FormValue, text, "a%2Fb+%22%C3%A9%22%0A%7E*%2B%25."},
	} {
		bound, _ := bindByName(compile(t, "{{x}}", Value))
		got, complete := bound.Append(nil, []jsonvalue.Value{jsonvalue.StringOf(tt.json)}, tt.mode)
		if string(got) != tt.want || !complete {
			t.Errorf("mode %d: got %s, %v, want %s", tt.mode, got, complete, tt.want)
		}
	}
}

func TestKinds(t *testing.T) {
	for _, tt := range []struct {
		json     string
		mode     Mode
		want     string
		complete bool
	}{
		{`null`, None, "", false},
		{`""`, None, "", true},
		{`true`, None, "true", true},
		{`9007199254740993`, None, "9007199254740993", true},
		{`1.50e+3`, URLSegment, "1.50e%2B3", true},
		{`[1, "a b"]`, None, `[1,"a b"]`, true},
		{`{"b": 1, "a": "é\n"}`, JSONString, `{\"b\":1,\"a\":\"é\\n\"}`, true},
		{`{"b": "a/b"}`, URLSegment, "%7B%22b%22%3A%22a%2Fb%22%7D", true},
		{`[" "]`, FormValue, "%5B%22+%22%5D", true},
	} {
		v, err := jsonvalue.ParseString(tt.json)
		if err != nil {
			t.Fatal(err)
		}
		bound, _ := bindByName(compile(t, "<{{x}}>", Value))
		got, complete := bound.Append(nil, []jsonvalue.Value{v}, tt.mode)
		if want := "<" + tt.want + ">"; string(got) != want || complete != tt.complete {
			t.Errorf("%s: got %s, %v, want %s, %v", tt.json, got, complete, want, tt.complete)
		}
	}
}

func TestLiteralsOfPaths(t *testing.T) {
	values := []jsonvalue.Value{jsonvalue.StringOf("a b")}
	for _, tt := range []struct {
		syntax Syntax
		mode   Mode
		want   string
	}{
		{Path, URLSegment, "/my%20files/%41%25/a%20b.json?x=é&y"},
		{Path, None, "/my files/%41%/a b.json?x=é&y"},
		{Value, URLSegment, "/my files/%41%/a%20b.json?x=é&y"},
	} {
		bound, _ := bindByName(compile(t, "/my files/%41%/{{x}}.json?x=é&y", tt.syntax))
		want := tt.want
		if tt.syntax == Path && tt.mode == URLSegment {
			want = strings.ReplaceAll(want, "é", "%C3%A9")
		}
		if got, _ := bound.Append(nil, values, tt.mode); string(got) != want {
			t.Errorf("syntax %d, mode %d: got %s, want %s", tt.syntax, tt.mode, got, want)
		}
	}
}

func TestRenderingDoesNotAllocate(t *testing.T) {
	bound, _ := bindByName(compile(t, "/Interactions/{InteractionSid}/Channels/{ChannelSid}/Invites/{{x}}.json", Path))
	list, err := jsonvalue.ParseString(`["a b", {"c": "é"}]`)
	if err != nil {
		t.Fatal(err)
	}
	values := []jsonvalue.Value{jsonvalue.StringOf("KD01"), jsonvalue.StringOf("UO/01"), list}
	dst := make([]byte, 0, 512)
	for _, mode := range []Mode{None, JSONString, URLSegment, URLQuery, FormValue} {
		if n := testing.AllocsPerRun(100, func() { dst, _ = bound.Append(dst[:0], values, mode) }); n != 0 {
			t.Errorf("mode %d: %v allocations, want none", mode, n)
		}
	}
}

func BenchmarkURL(b *testing.B) {
	bound, _ := bindByName(compile(b, "/Interactions/{InteractionSid}/Channels/{ChannelSid}/Invites/{InviteSid}", Path))
	sid := jsonvalue.StringOf("KDaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	values := []jsonvalue.Value{sid, sid, sid}
	dst := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		dst, _ = bound.Append(dst[:0], values, URLSegment)
	}
}

// Every path and every quoted text of the corpus compiles.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(besideRepository(t), "corpus", "*", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("the corpus is not here")
	}
	paths := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			syntax := Value
			if strings.TrimPrefix(key, "- ") == "path" {
				syntax = Path
				paths++
			}
			if _, err := Compile(value, syntax); err != nil {
				t.Errorf("%s: %q: %v", filepath.Base(file), value, err)
			}
		}
	}
	if paths == 0 {
		t.Error("no path was found")
	}
}

// besideRepository returns the folder of shared material next to the repository.
func besideRepository(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "..", "shared")
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = up
	}
}

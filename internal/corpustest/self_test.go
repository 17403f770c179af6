package corpustest

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The tests of this file are about the expectation itself: the encoders by
// examples that were written by hand, and the comparison by requests that are
// wrong in one way each.

func TestEncoders(t *testing.T) {
	nested := object{{"type", "web"}, {"n", number("9007199254740993")}, {"a b", array{nil, true, "é\n\"\\\x01"}}}
	for _, c := range []struct{ name, got, want string }{
		{"unreserved stay in a segment", segment("aZ09-._~"), "aZ09-._~"},
		{"everything else is escaped in a segment", segment("a/b c%2F+é*"), "a%2Fb%20c%252F%2B%C3%A9%2A"},
		{"a form has plus, star and no tilde", formText("a b+c*~&=é"), "a+b%2Bc*%7E%26%3D%C3%A9"},
		{"compact JSON", compact(nested), `{"type":"web","n":9007199254740993,"a b":[null,true,"é\n\"\\\u0001"]}`},
		{"lavish JSON", lavish(array{"é", "🚢", "\u2028"}), "[\"\\u00e9\" ,\n\t\"\\uD83D\\uDEA2\" ,\n\t\"\\u2028\"]"},
		{"canonical JSON", canonical(` { "b" : 1.0 , "a" : [ 9007199254740993, "\u00e9" ] } `), `{"a":[9007199254740993,"é"],"b":1.0}`},
		{"not JSON", canonical(`{} {}`), `not JSON: {} {}`},
		{"basic credentials", basic("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
		{"an erased path", erased("/v1/{A}/b.{C}.json"), "/v1/{}/b.{}.json"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, c.got, c.want)
		}
	}
	// net/url reads back what was meant.
	for _, text := range awkward(inBody) {
		if decoded, err := url.PathUnescape(segment(text)); err != nil || decoded != text {
			t.Errorf("the segment %q is read as %q, %v", text, decoded, err)
		}
		if decoded, err := url.QueryUnescape(formText(text)); err != nil || decoded != text {
			t.Errorf("the form's %q is read as %q, %v", text, decoded, err)
		}
		if canonical(lavish(text)) != canonical(compact(text)) {
			t.Errorf("%q is written as %s and as %s", text, lavish(text), compact(text))
		}
	}
}

func TestFormFields(t *testing.T) {
	body := object{
		{"Text", "a b"},
		{"Null", nil},
		{"True", true},
		{"N", number("1.50")},
		{"Dotted.Name", ""},
		{"List", array{"x", "y&z", nil}},
		{"Empty", array{}},
		{"Objects", array{object{{"a", number("1")}}, "t"}},
		{"Any", array{"x"}},
		{"Object", object{{"b", array{}}, {"a", nil}}},
	}
	lists := []string{"List", "Empty", "Objects"}
	want := map[string][]string{
		"Text": {"a+b"}, "True": {"true"}, "N": {"1.50"}, "Dotted.Name": {""}, "List": {"x", "y%26z"},
		"Objects": {"%7B%22a%22%3A1%7D", "t"}, "Any": {"%5B%22x%22%5D"}, "Object": {"%7B%22b%22%3A%5B%5D%2C%22a%22%3Anull%7D"},
	}
	got := formFields(body, func(name string) bool { return slices.Contains(lists, name) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, pairs(formBody(body, func(name string) bool { return slices.Contains(lists, name) }))); diff != "" {
		t.Errorf("fields read back (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string][]string{"a": {"1", "", "(no =)"}}, pairs("a=1&a=&a")); diff != "" {
		t.Errorf("pairs (-want +got):\n%s", diff)
	}
}

func TestQueryValues(t *testing.T) {
	for _, c := range []struct {
		name    string
		explode bool
		value   value
		want    []string
	}{
		{"a text", true, "a b", []string{"a%20b"}},
		{"a list repeats", true, array{"a", "b,c"}, []string{"a", "b%2Cc"}},
		{"a list in one", false, array{"a", "b,c"}, []string{"a,b%2Cc"}},
		{"an empty list", true, array{}, nil},
		{"an empty list in one", false, array{}, nil},
	} {
		if diff := cmp.Diff(c.want, queryValues(given{parameter{explode: c.explode}, c.value})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// What the generator makes is what the schema admits.
func TestGenerator(t *testing.T) {
	doc := &document{root: map[string]any{"components": map[string]any{"a/b": map[string]any{"type": "string", "pattern": `^(SM|MM)[0-9a-f]{4}(,X[0-2]{1,2})?$`}}}}
	g := newGenerator(t, doc, "generator")
	pattern := regexp.MustCompile(`^(SM|MM)[0-9a-f]{4}(,X[0-2]{1,2})?$`)
	seen := map[string]bool{}
	for range 500 {
		if s, _ := g.value(map[string]any{"$ref": "#/components/a~1b"}, inBody, everything).(string); !pattern.MatchString(s) {
			t.Fatalf("%q does not match", s)
		}
		short, _ := g.value(map[string]any{"type": "string", "minLength": 3, "maxLength": 4}, inBody, everything).(string)
		if n := len([]rune(short)); n < 3 || n > 4 {
			t.Fatalf("%q has %d characters", short, n)
		}
		path, _ := g.value(map[string]any{"type": "string"}, inPath, everything).(string)
		if path == "" || path == "." || path == ".." || strings.ContainsAny(path, "\n\x00") {
			t.Fatalf("%q cannot be a segment", path)
		}
		seen[path] = true
		if n, _ := g.value(map[string]any{"type": "integer", "minimum": 1, "maximum": 50}, inQuery, everything).(number); n != "1" && n != "50" {
			t.Fatalf("%s is not between 1 and 50", n)
		}
		few, _ := g.value(map[string]any{"type": "array", "minItems": 1, "maxItems": 2, "items": map[string]any{"enum": []any{"a", 1}}}, inBody, someThings).(array)
		if len(few) < 1 || len(few) > 2 || few[0] != "a" && few[0] != number("1") {
			t.Fatalf("%v is not a list of one or two", few)
		}
	}
	if len(seen) != len(awkward(inPath)) {
		t.Errorf("%d of %d texts were drawn in 500 turns", len(seen), len(awkward(inPath)))
	}
}

// A fault is a way in which a request can be wrong. It reports whether it
// applies to a request.
type fault struct {
	name string
	make func(r *recorded) bool
}

// in replaces the first place of a text where it occurs.
func in(text *string, old, with string) bool {
	if !strings.Contains(*text, old) {
		return false
	}
	*text = strings.Replace(*text, old, with, 1)
	return true
}

func faults() []fault {
	header := func(name, value string) func(r *recorded) bool {
		return func(r *recorded) bool {
			r.header.Set(name, value)
			return true
		}
	}
	return []fault{
		{"another method", func(r *recorded) bool { r.method = "OPTIONS"; return true }},
		{"another host's path", func(r *recorded) bool { return in(&r.target, "/", "/x/") }},
		{"a slash that is not escaped", func(r *recorded) bool { return in(&r.target, "%2F", "/") }},
		{"a percent sign that is escaped twice", func(r *recorded) bool { return in(&r.target, "%25", "%2525") }},
		{"a space as plus outside of a form", func(r *recorded) bool { return in(&r.target, "%20", "+") }},
		{"a lost query", func(r *recorded) bool {
			path, _, ok := strings.Cut(r.target, "?")
			r.target = path
			return ok
		}},
		{"a parameter too much", func(r *recorded) bool {
			r.target += map[bool]string{true: "&", false: "?"}[strings.Contains(r.target, "?")] + "Page=1"
			return true
		}},
		{"an array in brackets", func(r *recorded) bool { return in(&r.body, "StatusCallbackEvent=", "StatusCallbackEvent%5B%5D=") }},
		{"no credentials", func(r *recorded) bool { r.header.Del("Authorization"); return true }},
		{"other credentials", header("Authorization", basic(user, "for Twilio only"))},
		{"a header of the caller's", header("X-Caller", "1")},
		{"a lost media type", func(r *recorded) bool {
			_, ok := r.header["Content-Type"]
			r.header.Del("Content-Type")
			return ok && r.body != ""
		}},
		{"a form announced as JSON", func(r *recorded) bool {
			ok := r.header.Get("Content-Type") == formMedia && r.body != ""
			r.header.Set("Content-Type", jsonMedia)
			return ok
		}},
		{"a lost field", func(r *recorded) bool {
			_, rest, ok := strings.Cut(r.body, "&")
			r.body = rest
			return ok && r.header.Get("Content-Type") == formMedia
		}},
		{"a field of null", func(r *recorded) bool {
			r.body += "&Null="
			return r.header.Get("Content-Type") == formMedia
		}},
		{"a space as %20 in a form", func(r *recorded) bool { return r.header.Get("Content-Type") == formMedia && in(&r.body, "+", "%20") }},
		{"JSON text that is not compact", func(r *recorded) bool { return in(&r.body, "%22%3A", "%22%3A+") }},
		{"a number that went through a float", func(r *recorded) bool { return in(&r.body, "9007199254740993", "9007199254740992") }},
		{"a number without its digits", func(r *recorded) bool { return in(&r.body, "0.10", "0.1") }},
		{"a body where none is due", func(r *recorded) bool {
			ok := r.body == "" && r.header.Get("Content-Type") == ""
			r.body = "{}"
			return ok
		}},
	}
}

// mutated is a request with a fault in it.
func mutated(r *recorded, f fault) (*recorded, bool) {
	out := *r
	out.header = http.Header(maps.Clone(r.header))
	return &out, f.make(&out)
}

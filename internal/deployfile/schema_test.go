package deployfile

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"patchbay/internal/diag"
)

// compiled is the schema as an independent implementation compiles it.
func compiled(t testing.TB, draft string) *jsonschema.Schema {
	t.Helper()
	text, err := JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("https://json-schema.org/draft/2020-12/schema"), []byte(draft), 1)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("patchbay.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("patchbay.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	newer = "https://json-schema.org/draft/2020-12/schema"
	older = "http://json-schema.org/draft-07/schema#"
)

// whole is the smallest mapping of a shape that is taken.
func whole(id string) map[string]any {
	switch id {
	case "rate":
		return map[string]any{"perSecond": 5}
	case "credential":
		return map[string]any{"token": "${env:TOKEN}"}
	case "listener-tls":
		return map[string]any{"certificate": "a.pem", "key": "b.pem"}
	case "auth":
		return map[string]any{"keys": []any{whole("key")}}
	case "key":
		return map[string]any{"name": "n", "scheme": "bearer", "secret": "${file:t}"}
	case "jwt":
		return map[string]any{"issuer": "https://i.example", "audience": "a"}
	case "cors":
		return map[string]any{"origins": []any{"https://a.example"}}
	case "control":
		return map[string]any{"listen": "localhost:9000"}
	case "otlp":
		return map[string]any{"endpoint": "https://o.example"}
	default:
		return map[string]any{}
	}
}

// around is a document with a value in the place of a mapping of a shape.
func around(t testing.TB, parts []description, id string, v any) any {
	t.Helper()
	if id == "deployment" {
		return v
	}
	for _, d := range parts {
		for i, k := range d.kinds {
			if k.of == nil || k.of.about().id != id && !(strings.HasPrefix(id, "all-") && "all-"+k.of.about().id+"s" == id) {
				continue
			}
			inner := v
			switch {
			case strings.HasPrefix(id, "all-"):
				inner = map[string]any{all: v}
			case k.words == "list":
				inner = []any{v}
			case strings.HasPrefix(k.words, "mapping by"):
				inner = map[string]any{"n": v}
			}
			m := whole(d.id)
			m[d.infos[i].key] = inner
			return around(t, parts, d.id, m)
		}
	}
	t.Fatalf("%s is nowhere", id)
	return nil
}

// samples are values of every form, right or wrong.
func samples(d *description, i int) []any {
	out := []any{
		"word", "", "12", "5s", "0s", "0.0ms", "1m30s", "5 s", "-5s", "10MiB", "10 MiB", "0B", "none", "never", 0, 1, 7, -1, 70000, 1 << 41, 0.5, 1.5, -0.5, true, "true", nil,
		"127.0.0.1:8080", "[::1]:80", "localhost", "localhost:70000", ":0", "https://a.example", "https://a.example/v1", "https://u:p@a.example", "https://a.example?q", "ftp://a.example",
		"/a", "/a/b", "/a/", "a", "/.patchbay", "/../b", "${env:A}", "${file:a/b c}", "${vault:x}", "${env:1}", "${file:}", "$x", "$", "a b", `a"b`,
		"X-Api-Key", "NAME", "ns.NAME", "n*.NAME", "1NAME", "RS256", "HS256", "socks5://p:1", strings.Repeat("n", 65), "ä",
		[]any{},
		[]any{"word"},
		[]any{"NAME"},
		[]any{"https://a.example"},
		[]any{"RS256"},
		[]any{"RS256", "HS256"},
		[]any{7},
		[]any{nil},
		[]any{map[string]any{}},
		map[string]any{},
		map[string]any{"a": "word"},
		map[string]any{"a": "NAME"},
		map[string]any{"A": "NAME", "n.B": "NAME"},
		map[string]any{"a": "${env:A}"},
		map[string]any{"a b": "${env:A}"},
		map[string]any{"a": []any{"word"}},
		map[string]any{"a": []any{}},
		map[string]any{"a": map[string]any{}},
		map[string]any{"a": nil},
		map[string]any{all: map[string]any{}},
		map[string]any{"x-mine": "word"},
		map[string]any{"nonsense": "word"},
	}
	if of := d.kinds[i].of; of != nil {
		about := of.about()
		w := whole(about.id)
		out = append(out, w, []any{w}, map[string]any{"n": w})
	}
	for _, w := range d.kinds[i].schema.Enum {
		out = append(out, w, strings.ToUpper(w))
	}
	return out
}

// judged returns what the reader says against a document, and what the schema does.
func judged(t testing.TB, s *jsonschema.Schema, doc any) (reader, editor string, text []byte) {
	t.Helper()
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	_, list := Parse("f", text, nil)
	for _, d := range list {
		if d.Severity >= diag.Warning {
			reader = d.Message
		}
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(v); err != nil {
		editor = strings.ReplaceAll(err.Error(), "\n", " ")
	}
	return reader, editor, text
}

// For every key of every shape and every form of value, the schema refuses what
// the reader refuses, and nothing else; in both drafts.
func TestSchemaAgreesWithReader(t *testing.T) {
	s, old := compiled(t, newer), compiled(t, older)
	parts, compared, taken := descriptions(), 0, 0
	for _, d := range parts {
		for i := range d.infos {
			good := 0
			for _, v := range samples(&d, i) {
				m := whole(d.id)
				m[d.infos[i].key] = v
				doc := around(t, parts, d.id, m)
				reader, editor, text := judged(t, s, doc)
				if (reader == "") != (editor == "") {
					t.Errorf("%s: the reader says %q, the schema %q", text, reader, editor)
				}
				if _, before, _ := judged(t, old, doc); (before == "") != (editor == "") {
					t.Errorf("%s: draft-07 says %q, 2020-12 %q", text, before, editor)
				}
				compared++
				if reader == "" {
					good++
				}
			}
			if good == 0 && d.infos[i].key != "username" && d.infos[i].key != "password" && d.infos[i].key != "header" && d.infos[i].key != "query" && d.infos[i].key != "certificate" && d.infos[i].key != "key" {
				t.Errorf("no sample of %s in %s is taken", d.infos[i].key, d.id)
			}
			taken += good
		}
		for key := range whole(d.id) {
			less := maps.Clone(whole(d.id))
			delete(less, key)
			reader, editor, text := judged(t, s, around(t, parts, d.id, less))
			if (reader == "") != (editor == "") {
				t.Errorf("without %s: %s: the reader says %q, the schema %q", key, text, reader, editor)
			}
		}
	}
	if compared < 5000 || taken < 300 {
		t.Errorf("%d documents were compared, %d of them good", compared, taken)
	}
}

// What keys need of each other is the same for both: every set of keys of the
// shapes that have rules, with good values.
func TestSchemaOfRules(t *testing.T) {
	s := compiled(t, newer)
	good := map[string]any{
		"name": "n", "username": "u", "header": "X-Key", "query": "key", "secret": "${env:A}", "certificate": "c.pem", "key": "k.pem", "ca": "a.pem", "serverName": "n",
		"keys": []any{whole("key")}, "jwt": whole("jwt"),
	}
	parts := descriptions()
	for _, d := range parts {
		if len(d.rules) == 0 {
			continue
		}
		for set := range 1 << len(d.infos) {
			words := []string{""}
			if d.id == "key" {
				words = []string{"basic", "bearer", "apikey"}
			}
			for _, word := range words {
				m := map[string]any{}
				for i := range d.infos {
					key := d.infos[i].key
					switch {
					case set&(1<<i) == 0:
					case key == "scheme":
						m[key] = word
					case d.id == "credential":
						m[key] = "${env:A}"
					default:
						m[key] = good[key]
					}
				}
				reader, editor, text := judged(t, s, around(t, parts, d.id, m))
				if (reader == "") != (editor == "") {
					t.Errorf("%s: the reader says %q, the schema %q", text, reader, editor)
				}
			}
		}
	}
}

// Keywords that draft-07 editors do not know would be checks that do nothing.
func TestSchemaKeywords(t *testing.T) {
	text, err := JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if _, ok := v["$ref"]; ok && len(v) > 1 {
				t.Errorf("%v has something beside $ref, which draft-07 ignores", v)
			}
			for _, inner := range v {
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	walk(doc)
}

// Every key has words for people, and these are whole sentences.
func TestFieldsAreDocumented(t *testing.T) {
	for _, d := range descriptions() {
		seen := map[string]bool{}
		for _, f := range d.infos {
			if seen[f.key] {
				t.Errorf("%s has %s twice", d.id, f.key)
			}
			seen[f.key] = true
			if !strings.HasSuffix(f.doc, ".") || strings.Count(f.doc, "`")%2 != 0 {
				t.Errorf("%s in %s: %q is no sentence", f.key, d.id, f.doc)
			}
		}
	}
}

// Wherever somebody puts a secret that does not belong there, nothing that is
// printed shows it: no excerpt, no message.
func TestSecretsAreNotPrinted(t *testing.T) {
	var docs [][]byte
	add := func(doc any) {
		t.Helper()
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, text) // on one line: every finding is on the secret's
	}
	parts := descriptions()
	for _, d := range parts {
		for i := range d.infos {
			for _, v := range []any{
				planted, "https://user:" + planted + "@a.example",
				[]any{planted},
				[]any{[]any{planted}},
				map[string]any{"a": planted},
				map[string]any{"password": planted},
				map[string]any{"a": map[string]any{"b": planted}},
				map[string]any{"a": []any{planted}},
				"${vault:" + planted + "}",
			} {
				m := whole(d.id)
				m[d.infos[i].key] = v
				m["unknown"] = 1
				add(around(t, parts, d.id, m))
			}
		}
		for _, key := range []string{"password", "secrets", "tokn", "unknown"} {
			m := whole(d.id)
			m[key] = planted
			m["unknown2"] = []any{planted}
			add(around(t, parts, d.id, m))
		}
	}
	for _, text := range []string{
		"adapters:\n  a:\n    auth: {keys: [{name: a, scheme: bearer, secret: *" + planted + "}]}\n",
		"adapters:\n  a:\n    auth: {keys: [{name: a, scheme: bearer, secret: \"" + planted + "}]}\n",
		"adapters:\n  a:\n    auth: {keys: [{name: a, scheme: bearer, secret: @" + planted + "}]}\n",
		"adapters:\n  a:\n    auth: {keys: [{name: a, scheme: bearer, secret: !" + planted + " x}]}\n",
		"adapters:\n  a:\n    auth: {keys: [{name: a, scheme: bearer, secret: !!int " + planted + "}]}\n",
		"adapters:\n  a:\n    auth: {keys: [{name: a, scheme: bearer, secret: \"\\q" + planted + "\"}]}\n",
		"adapters:\n  a:\n    auth:\n      keys:\n      - name: a\n        scheme: bearer\n        secret: |\n          " + planted + "\n",
		"adapters:\n  a:\n    auth:\n      keys:\n      - name: a\n        secret: x: " + planted + "\n",
		"drain: !" + planted + " x\n",
		"drain: 1s\ndrain: " + planted + "\n",
		"? [" + planted + "]\n: " + planted + "\n",
		planted, "- " + planted, "{" + planted + ": ",
	} {
		docs = append(docs, []byte(text))
	}
	for _, doc := range docs {
		file, found := Parse("f", doc, safe{})
		text := printed(t, file, found)
		var b bytes.Buffer
		if err := diag.PrintJSON(&b, found); err != nil {
			t.Fatal(err)
		}
		text += b.String()
		if strings.Contains(text, planted) {
			t.Errorf("%s\nprints a secret:\n%s", doc, text)
		}
	}
}

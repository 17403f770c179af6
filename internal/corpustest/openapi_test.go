package corpustest

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// A document is an OpenAPI document as plain maps.
type document struct {
	name string
	root map[string]any
}

// A contract is what a document says about one operation.
type contract struct {
	doc *document
	// server is the URL that describes it, path the template below that.
	server, path string
	operation    map[string]any
	// params are the parameters of the path item and of the operation.
	params []parameter
	// media is the type of the request body, "" for none.
	media    string
	schema   map[string]any
	required bool
	// unread names what this reader does not understand. No operation of the
	// catalogue may have any of it.
	unread string
}

type parameter struct {
	name, in string
	required bool
	explode  bool
	schema   map[string]any
}

// identity is what an operation is found by: names of placeholders do not count.
type identity struct{ method, url string }

// An index finds operations. The first document that describes one wins.
type index map[identity]*contract

// readContracts reads folders of documents in their order.
func readContracts(t testing.TB, folders ...string) index {
	t.Helper()
	ix := index{}
	for _, folder := range folders {
		for _, name := range listFiles(t, folder, ".json", ".yml") {
			ix.add(readDocument(t, filepath.Join(folder, name)))
		}
	}
	return ix
}

func readDocument(t testing.TB, path string) *document {
	t.Helper()
	data := readFile(t, path)
	d := &document{name: filepath.Base(path), root: map[string]any{}}
	var err error
	if filepath.Ext(path) == ".json" {
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		err = decoder.Decode(&d.root)
	} else {
		err = yaml.Load(data, &d.root)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return d
}

func (ix index) add(d *document) {
	paths := d.object(d.root["paths"])
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := d.object(paths[path])
		for _, method := range []string{"get", "put", "post", "delete", "patch", "head", "options"} {
			operation, ok := item[method]
			if !ok {
				continue
			}
			op := d.object(operation)
			for _, server := range d.servers(op, item, d.root) {
				key := identity{strings.ToUpper(method), strings.TrimRight(server, "/") + erased(path)}
				if ix[key] == nil {
					ix[key] = d.contract(server, path, item, op)
				}
			}
		}
	}
}

// servers are those of the innermost object that has any (OpenAPI 3.1, "Path
// Item Object" and "Operation Object").
func (d *document) servers(levels ...map[string]any) []string {
	for _, level := range levels {
		var urls []string
		for _, server := range list(level["servers"]) {
			urls = append(urls, text(d.object(server)["url"]))
		}
		if len(urls) > 0 {
			return urls
		}
	}
	return nil
}

func (d *document) contract(server, path string, item, op map[string]any) *contract {
	c := &contract{doc: d, server: server, path: path, operation: op}
	for _, declared := range append(list(op["parameters"]), list(item["parameters"])...) {
		p := d.object(declared)
		name, in := text(p["name"]), text(p["in"])
		if slices.ContainsFunc(c.params, func(have parameter) bool { return have.name == name && have.in == in }) {
			continue // the operation's own declaration wins
		}
		if p["style"] != nil || p["content"] != nil {
			c.unread = name + " has a style or a content"
		}
		required, _ := p["required"].(bool)
		explode, given := p["explode"].(bool)
		c.params = append(c.params, parameter{
			name: name, in: in, required: required || in == "path",
			explode: explode || !given, // the default style, form, is exploded by default
			schema:  d.object(p["schema"]),
		})
	}
	body := d.object(op["requestBody"])
	content := d.object(body["content"])
	for media, described := range content {
		if len(content) != 1 || d.object(described)["encoding"] != nil {
			c.unread = "the body has several media types or an encoding"
		}
		c.media, c.schema = media, d.object(d.object(described)["schema"])
		c.required, _ = body["required"].(bool)
	}
	return c
}

// object resolves local references, and returns an empty map for anything else.
func (d *document) object(v any) map[string]any {
	for range 32 {
		m, ok := v.(map[string]any)
		if !ok {
			return map[string]any{}
		}
		ref, ok := m["$ref"].(string)
		if !ok {
			return m
		}
		v = d.root
		for token := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			m, _ := v.(map[string]any)
			token, _ = url.PathUnescape(token)
			v = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(token)]
		}
	}
	panic(d.name + ": a reference refers to itself")
}

func list(v any) []any { l, _ := v.([]any); return l }

func text(v any) string { s, _ := v.(string); return s }

// erased is a path without the names in its braces.
func erased(path string) string {
	literals, names := split(path)
	var b strings.Builder
	for i, literal := range literals {
		b.WriteString(literal)
		if i < len(names) {
			b.WriteString("{}")
		}
	}
	return b.String()
}

// split takes a path apart: there is one more literal than there are names.
func split(path string) (literals, names []string) {
	for {
		before, rest, ok := strings.Cut(path, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			return append(literals, path), names
		}
		literals, names, path = append(literals, before), append(names, name), after
	}
}

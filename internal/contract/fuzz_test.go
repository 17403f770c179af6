package contract

import (
	"testing"

	"patchbay/internal/openapi"
)

// What a document lists can be asked for: an operation with a host is joined, or
// something is said about it, and nothing that is made of it fails.
func FuzzJoin(f *testing.F) {
	f.Add([]byte(servers), "https://api.example.com/v1", "/things/{a}/parts/{{b}}.json")
	f.Add([]byte(`{"openapi":"3.0.3","servers":[{"url":"https://{shop}.shops.example.com:443/"}],"paths":{"/a":{"get":{"parameters":[{"name":"a","in":"query","explode":false,"schema":{"$ref":"#/paths"}}],
		"requestBody":{"content":{"*/*":{"schema":{"allOf":[{"$ref":"#"}]}}}},"responses":{"200":{"content":{"a/b+json":{"schema":{"$ref":"#/paths/~1a"}}}}}}}}}`), "https://x.shops.example.com", "a")
	f.Add([]byte("openapi: 3.1.0\nservers: [{url: '://@:?#'}]\npaths: {'': {put: {}}, '{': {put: {}}, '//': {put: {}}}\n"), "a://{", "{}}")
	f.Fuzz(func(t *testing.T, text []byte, server, path string) {
		if len(text) > 16<<10 || len(path) > 1<<10 {
			t.Skip()
		}
		d, err := openapi.Parse("fuzz/a.yaml", text)
		if err != nil {
			t.Skip()
		}
		other, err := openapi.Parse("other/b.yaml", text)
		if err != nil {
			t.Fatal(err)
		}
		s := NewSet(d, other)
		refs := d.References()
		if len(refs) > 50 {
			refs = refs[:50]
		}
		for _, r := range refs {
			op, problems := s.Join(r.Method, r.Server, r.Path)
			if _, ok := addressOf(r.Server); ok && op == nil && problems == nil {
				t.Errorf("%s %s %s is not joined", r.Method, r.Server, r.Path)
			}
			if op == nil {
				continue
			}
			if len(op.Conflicts) > 0 {
				t.Errorf("a document disagrees with itself: %+v", op.Conflicts)
			}
			op.Answers()
			op.BodySchema()
			op.Shape()
			for _, p := range op.Query {
				op.Input(p)
			}
		}
		asked := []Asked{{Method: "GET", Path: path}, {Method: "PUT", Path: path}}
		if there, ok := s.Elsewhere(server, path, asked); ok && len(there.At) != len(asked) {
			t.Errorf("elsewhere: %+v", there)
		}
		if n := len(s.Near("GET", server, path)); n > maxMisses {
			t.Errorf("%d near misses", n)
		}
	})
}

package contract

import (
	"strings"
	"sync"

	"patchbay/internal/openapi"
	"patchbay/internal/schema"
)

// Set is an ordered collection of documents. The first document that describes
// an operation wins. A Set is safe for concurrent use. It belongs to the time
// of compiling: what is joined refers to no document.
type Set struct {
	docs   []*openapi.Document
	index  map[string]*candidate
	free   []freeHost
	copies *openapi.Copies
	// patterns are compiled once for all operations.
	patterns schema.Patterns
	// near finds operations by less than their key; see nearby.
	near func() *nearby
}

// candidate is one document's operation, before those of later documents.
type candidate struct {
	ref  *openapi.Reference
	rank int // of the document
	next *candidate
}

// NewSet indexes documents in their order of precedence.
func NewSet(docs ...*openapi.Document) *Set {
	n := 0
	for _, d := range docs {
		n += len(d.References())
	}
	s := &Set{docs: docs, index: make(map[string]*candidate, n), copies: openapi.NewCopies()}
	s.near = sync.OnceValue(s.newNearby)
	// From the last document to the first, so that each goes before the others.
	for rank := len(docs) - 1; rank >= 0; rank-- {
		s.add(docs[rank].References(), rank)
	}
	return s
}

func (s *Set) add(refs []openapi.Reference, rank int) {
	list := make([]candidate, 0, len(refs))
	var server string
	var at address
	ok := false
	for i := range refs {
		r := &refs[i]
		if i == 0 || r.Server != server {
			server = r.Server
			if at, ok = addressOf(server); ok {
				s.addFree(at.origin)
			}
		}
		if !ok {
			continue
		}
		k := at.key(r.Method, r.Path)
		before := s.index[k]
		if before != nil && before.rank == rank {
			continue
		}
		list = append(list, candidate{ref: r, rank: rank, next: before})
		s.index[k] = &list[len(list)-1]
	}
}

// find returns what the documents say about an operation, nil where none of
// them knows it.
func (s *Set) find(method, server, path string) *candidate {
	if s == nil {
		return nil
	}
	at, ok := addressOf(server)
	if !ok {
		return nil
	}
	if found := s.index[at.key(method, path)]; found != nil {
		return found
	}
	for _, f := range s.free {
		if f.admits(at.origin) {
			at := address{origin: f.origin, path: at.path}
			if found := s.index[at.key(method, path)]; found != nil {
				return found
			}
		}
	}
	return nil
}

// Placeless reports whether a document has operations and says of none of them
// at which host it is.
func Placeless(d *openapi.Document) bool {
	refs := d.References()
	for i := range refs {
		if _, ok := addressOf(refs[i].Server); ok {
			return false
		}
	}
	return len(refs) > 0
}

// address is a server: scheme and host in lower case without the scheme's own
// port, and a path without trailing slash. Placeholders are erased.
type address struct{ origin, path string }

// addressOf reads the address of a server. It reports false for one without
// scheme and host. Query and fragment do not count.
func addressOf(server string) (address, bool) {
	scheme, rest, ok := strings.Cut(server, "://")
	if !ok || scheme == "" || strings.ContainsAny(scheme, "/?#") {
		return address{}, false
	}
	scheme, rest = strings.ToLower(scheme), Erase(rest)
	if end := strings.IndexAny(rest, "?#"); end >= 0 {
		rest = rest[:end]
	}
	host, path := rest, ""
	if slash := strings.IndexByte(rest, '/'); slash >= 0 {
		host, path = rest[:slash], strings.TrimRight(rest[slash:], "/")
	}
	host = strings.ToLower(host[strings.LastIndexByte(host, '@')+1:])
	switch scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return address{origin: scheme + "://" + host, path: path}, host != ""
}

// key is the identity of an operation: method, server and path, in which
// placeholder names do not count.
func (a *address) key(method, path string) string {
	return method + " " + a.origin + a.full(path)
}

// full is the path of an operation from the root of its host.
func (a *address) full(path string) string {
	return a.path + "/" + strings.TrimLeft(Erase(path), "/")
}

// freeHost is a server whose host begins with a variable that can be anything,
// such as a customer's name.
type freeHost struct{ origin, scheme, suffix string }

func (s *Set) addFree(origin string) {
	scheme, host, _ := strings.Cut(origin, "://")
	suffix, ok := strings.CutPrefix(host, "{}")
	// A variable that is nearly the whole host would admit anybody's.
	if !ok || !strings.HasPrefix(suffix, ".") || strings.Count(suffix, ".") < 2 || strings.Contains(suffix, "{}") {
		return
	}
	for _, f := range s.free {
		if f.origin == origin {
			return
		}
	}
	s.free = append(s.free, freeHost{origin: origin, scheme: scheme, suffix: suffix})
}

func (f *freeHost) admits(origin string) bool {
	scheme, host, _ := strings.Cut(origin, "://")
	return scheme == f.scheme && len(host) > len(f.suffix) && strings.HasSuffix(host, f.suffix)
}

// Erase replaces the placeholders of a path, {x} or {{x}}, by {}.
func Erase(path string) string {
	if strings.IndexByte(path, '{') < 0 {
		return path
	}
	var out strings.Builder
	for {
		open := strings.IndexByte(path, '{')
		if open < 0 {
			break
		}
		end := strings.IndexByte(path[open:], '}')
		if end < 0 {
			break
		}
		out.WriteString(path[:open])
		out.WriteString("{}")
		path = strings.TrimPrefix(path[open+end+1:], "}")
	}
	out.WriteString(path)
	return out.String()
}

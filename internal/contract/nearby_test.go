package contract

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/openapi"
)

// describing makes documents of lines such as
// "provider/a.yaml https://a.example.com GET /v1/things, POST /v1/things".
func describing(t testing.TB, lines ...string) *Set {
	t.Helper()
	var docs []*openapi.Document
	for _, line := range lines {
		name, rest, _ := strings.Cut(line, " ")
		server, operations, _ := strings.Cut(rest, " ")
		paths := map[string][]string{}
		var order []string
		for operation := range strings.SplitSeq(operations, ", ") {
			method, path, _ := strings.Cut(operation, " ")
			if paths[path] == nil {
				order = append(order, path)
			}
			paths[path] = append(paths[path], fmt.Sprintf("%s: {operationId: %s}", strings.ToLower(method), strings.ToLower(method)))
		}
		var text strings.Builder
		fmt.Fprintf(&text, "openapi: 3.1.0\nservers: [{url: '%s'}]\npaths:\n", server)
		for _, path := range order {
			fmt.Fprintf(&text, "  %s: {%s}\n", path, strings.Join(paths[path], ", "))
		}
		d, err := openapi.Parse(name, []byte(text.String()))
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, d)
	}
	return NewSet(docs...)
}

func TestNear(t *testing.T) {
	s := describing(t,
		"one.yaml https://api.example.com/v1 GET /things/{id}, PUT /things/{id}, PATCH /things/{id}, GET /Things, POST /stuff/",
		"two.yaml https://other.example.com GET /v2/parts/{id}, GET /v1/things/{a}/b, DELETE /things/{x}",
		"three.yaml / GET /relative",
	)
	for _, c := range []struct{ name, method, server, path, want string }{
		{"another case", "GET", "https://api.example.com/v1", "/things", "the path is spelled differently: GET https://api.example.com/v1/Things of one.yaml"},
		{"a slash at the end", "POST", "https://api.example.com/v1", "/stuff", "the path is spelled differently: POST https://api.example.com/v1/stuff/ of one.yaml"},
		{"and one too many", "GET", "https://api.example.com/v1", "/Things/", "the path is spelled differently: GET https://api.example.com/v1/Things of one.yaml"},
		{
			"other methods, then other servers", "DELETE", "https://api.example.com/v1", "/things/{id}",
			"another method: GET https://api.example.com/v1/things/{id} of one.yaml\n" +
				"another method: PUT https://api.example.com/v1/things/{id} of one.yaml\n" +
				"another method: PATCH https://api.example.com/v1/things/{id} of one.yaml",
		},
		{"another server", "GET", "https://elsewhere.example.com/v2", "/parts/{x}", "another server: GET https://other.example.com/v2/parts/{id} of two.yaml"},
		{"another base", "GET", "https://other.example.com/v9", "/parts/{x}", "another server: GET https://other.example.com/v2/parts/{id} of two.yaml"},
		{"a document without host", "GET", "https://api.example.com", "/relative", "another server: GET /relative of three.yaml"},
		{"no base address at all", "GET", "", "/v2/parts/{x}", "another server: GET https://other.example.com/v2/parts/{id} of two.yaml"},
		{"nothing", "GET", "https://api.example.com/v1", "/nothing", ""},
		{"another method of another server is not near", "PUT", "https://elsewhere.example.com", "/v2/parts/{x}", ""},
	} {
		var got []string
		for _, m := range s.Near(c.method, c.server, c.path) {
			got = append(got, fmt.Sprintf("%s: %s %s of %s", m.Kind, m.Method, m.Address, m.Document))
		}
		if d := cmp.Diff(c.want, strings.Join(got, "\n")); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
	var none *Set
	if none.Near("GET", "https://api.example.com", "/x") != nil {
		t.Error("no set has near misses")
	}
}

func TestElsewhere(t *testing.T) {
	accounts := "provider/accounts.json https://accounts.example.com POST /v1/tokens, GET /v1/tokens, GET /v1/keys"
	chat := "provider/chat.json https://chat.example.com GET /v1/services, POST /v1/services, GET /v1/services/{id}"
	messaging := "provider/messaging.json https://ip-messaging.example.com GET /v1/services, POST /v1/services, GET /v1/services/{id}"
	api := "provider/api.json https://api.example.com/2010 GET /calls"
	for _, c := range []struct {
		name      string
		documents []string
		server    string
		about     string
		asked     string
		want      string
	}{
		{"all operations", []string{accounts}, "https://api.example.com/2010", "", "GET /tokens, POST /tokens", "https://accounts.example.com/v1: found found"},
		{"half of them", []string{accounts}, "https://api.example.com/2010", "", "GET /tokens, POST /x", "https://accounts.example.com/v1: found -"},
		{"less than half", []string{accounts}, "https://api.example.com/2010", "", "GET /tokens, POST /x, PUT /x", ""},
		{"the collection of one counts", []string{accounts}, "https://api.example.com/2010", "", "POST /tokens, GET /tokens/{id}, PATCH /keys", "https://accounts.example.com/v1: found collection collection"},
		{"but not collections alone", []string{accounts}, "https://api.example.com/2010", "", "PUT /tokens, GET /tokens/{id}", ""},
		{"another base of the same host", []string{accounts}, "https://accounts.example.com", "", "GET /tokens, GET /keys", "https://accounts.example.com/v1: found found"},
		{"the whole path at another host", []string{accounts}, "https://old.example.com/v1", "", "GET /tokens", "https://accounts.example.com/v1: found"},
		{"what is joined is not elsewhere", []string{api, accounts}, "https://api.example.com/2010", "", "GET /calls, GET /tokens", ""},
		{"several servers and no name", []string{chat, messaging}, "https://api.example.com/2010", "Services", "GET /services", ""},
		{"the name decides", []string{chat, messaging}, "https://api.example.com/2010", "my-chat", "GET /services", "https://chat.example.com/v1: found"},
		{"two names decide nothing", []string{chat, messaging}, "https://api.example.com/2010", "IP Messaging and chat API", "GET /services", ""},
		{
			"a later voice agrees with the file, the earlier one knows the server",
			[]string{api, accounts, "others/all.yaml https://api.example.com/2010 GET /tokens"},
			"https://api.example.com/2010", "", "GET /tokens", "https://accounts.example.com/v1: found",
		},
		{
			"it does not know the server",
			[]string{accounts, "others/all.yaml https://api.example.com/2010 GET /tokens"},
			"https://api.example.com/2010", "", "GET /tokens", "",
		},
		{
			"the voice that agrees comes first",
			[]string{"others/all.yaml https://api.example.com/2010 GET /tokens", api, accounts},
			"https://api.example.com/2010", "", "GET /tokens", "",
		},
		{
			"documents of one folder do not contradict each other",
			[]string{api, accounts, "provider/sync.json https://api.example.com/2010 GET /tokens"},
			"https://api.example.com/2010", "", "GET /tokens", "",
		},
		{"no operations", []string{accounts}, "https://api.example.com/2010", "", "", ""},
		{"no address", []string{accounts}, "", "", "GET /tokens", ""},
	} {
		s := describing(t, c.documents...)
		var asked []Asked
		for operation := range strings.SplitSeq(c.asked, ", ") {
			if method, path, ok := strings.Cut(operation, " "); ok {
				op, _ := s.Join(method, c.server, path)
				asked = append(asked, Asked{Method: method, Path: path, Joined: op})
			}
		}
		got := ""
		if there, ok := s.Elsewhere(c.server, c.about, asked); ok {
			got = there.BaseURI + ":"
			for _, at := range there.At {
				switch {
				case at.Document == "":
					got += " -"
				case at.Address == "":
					got += " collection"
				default:
					got += " found"
				}
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	var none *Set
	if _, ok := none.Elsewhere("https://api.example.com", "", []Asked{{Method: "GET", Path: "/x"}}); ok {
		t.Error("no set contradicts")
	}
}

// Files are compiled side by side with one set of contracts.
func TestSetsAreSharedSafely(t *testing.T) {
	documents := providerDocuments(t)
	s := NewSet(documents...)
	var workers sync.WaitGroup
	for worker := range 4 {
		workers.Go(func() {
			for _, d := range documents[worker:] {
				refs := d.References()
				for i := worker % 3; i < len(refs); i += 7 {
					r := &refs[i]
					op, _ := s.Join(r.Method, r.Server, r.Path)
					if op == nil {
						t.Errorf("%s %s is not joined", r.Method, r.Path)
						continue
					}
					op.Shape()
					op.Answers()
					s.Near("TRACE", r.Server, r.Path)
					s.Elsewhere("https://wrong.example.com", d.Name, []Asked{{Method: r.Method, Path: r.Path}})
				}
			}
		})
	}
	workers.Wait()
}

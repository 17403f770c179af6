package corpustest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// callRoute calls an operation through its route, as a client does that knows the
// route from the file and everything else from the provider's document.
func (g *gateway) callRoute(t testing.TB, x *target, in *inputs, media, body string) {
	t.Helper()
	path, query := g.route(x, in)
	header := http.Header{}
	for _, p := range in.params {
		name := x.input(p.name)
		switch p.in {
		case "header":
			header.Set(name, plain(p.value))
		case "query":
			values := array{p.value}
			if elements, isList := p.value.(array); isList {
				values = elements
			}
			for _, v := range values {
				query = append(query, segment(name)+"="+segment(plain(v)))
			}
		}
	}
	target := g.rest[x.adapter] + path
	if len(query) > 0 {
		target += "?" + strings.Join(query, "&")
	}
	if in.hasBody {
		header.Set("Content-Type", media)
	}
	status, said := send(t, x.Method, target, header, body)
	if status != http.StatusOK {
		t.Errorf("%s: REST %s %s answers %d: %s\n%s", x.file, x.Method, target, status, said, body)
	}
}

// route fills the placeholders of a route. What it has no placeholder for, a
// caller gives in the query.
func (g *gateway) route(x *target, in *inputs) (path string, query []string) {
	_, upstream := split(x.op.path)
	literals, names := split(x.route)
	filled := make([]string, len(names))
	for i, v := range in.path {
		input, found := x.input(upstream[i]), false
		for j, name := range names {
			if same(name, input) {
				filled[j], found = segment(plain(v)), true
			}
		}
		if !found {
			query = append(query, segment(input)+"="+segment(plain(v)))
		}
	}
	for i, literal := range literals {
		path += literal
		if i < len(filled) {
			path += filled[i]
		}
	}
	return path, query
}

// strict are the arguments of a tool for the same inputs, under the names that
// the tool advertises.
func (x *target) strict(t testing.TB, in *inputs, advertised *inputSchema) object {
	t.Helper()
	_, upstream := split(x.op.path)
	out := object{}
	add := func(name string, v value) {
		out = append(out, member{advertised.name(t, x.input(name)), v})
	}
	for i, v := range in.path {
		add(upstream[i], v)
	}
	for _, p := range in.params {
		add(p.name, p.value)
	}
	if in.hasBody {
		given := slices.DeleteFunc(slices.Clone(in.body), func(m member) bool { return m.value == nil })
		add("body", given)
	}
	return out
}

// arguments are those that models give: some numbers and booleans are quoted,
// and some of what is left out is null.
func (x *target) arguments(t testing.TB, g *generator, in *inputs, advertised *inputSchema) object {
	t.Helper()
	out := x.strict(t, in, advertised)
	for i, m := range out {
		switch {
		case in.hasBody && i == len(out)-1:
			out[i].value = in.body
		case scalar(m.value) && g.IntN(4) == 0:
			out[i].value = plain(m.value)
		}
	}
	for _, name := range advertised.Required {
		if _, given := out.get(name); !given {
			t.Errorf("%s: the tool %s requires %s, which neither the file nor the document does", x.file, x.Name, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(advertised.Properties)) {
		if _, given := out.get(name); !given && g.IntN(4) == 0 {
			out = append(out, member{name, nil})
		}
	}
	return out
}

// inputSchema is what a tool advertises about its arguments.
type inputSchema struct {
	Properties map[string]struct{ Description string }
	Required   []string
}

// name is the property for an input. Names that some hosts refuse have another
// one, whose description tells which input it is.
func (s *inputSchema) name(t testing.TB, input string) string {
	t.Helper()
	if _, same := s.Properties[input]; same {
		return input
	}
	var found []string
	for name, p := range s.Properties {
		if strings.Contains(p.Description, "`"+input+"`") {
			found = append(found, name)
		}
	}
	if len(found) != 1 {
		t.Errorf("the input %s is advertised %d times", input, len(found))
		return input
	}
	return found[0]
}

// The two eras of MCP: one that begins with initialize, and one in which every
// request says everything.
const (
	legacy = "2025-11-25"
	modern = "2026-07-28"
)

// callTool calls a tool at an endpoint, in one of the eras.
func (g *gateway) callTool(t testing.TB, x *target, endpoint, name, era, arguments string) {
	t.Helper()
	var answer struct {
		Result struct {
			IsError bool
			Content []struct{ Text string }
		}
		Error any
	}
	said := ask(t, endpoint, era, "tools/call", name, `"name":`+compact(name)+`,"arguments":`+arguments)
	if err := json.Unmarshal([]byte(said), &answer); err != nil {
		t.Fatalf("%s: %v in %s", x.file, err, said)
	}
	if answer.Result.IsError || answer.Error != nil {
		t.Errorf("%s: MCP %s of %s: %s\n%s", x.file, era, name, said, arguments)
	}
}

// ask sends one request of MCP and returns the answer.
func ask(t testing.TB, endpoint, era, method, name, params string) string {
	t.Helper()
	header := http.Header{
		"Content-Type": {jsonMedia}, "Accept": {"application/json, text/event-stream"}, "Mcp-Protocol-Version": {era},
	}
	if era == modern {
		header.Set("Mcp-Method", method)
		if name != "" {
			header.Set("Mcp-Name", name)
		}
		if params != "" {
			params += ","
		}
		params += `"_meta":{"io.modelcontextprotocol/protocolVersion":"` + modern + `","io.modelcontextprotocol/clientCapabilities":{}}`
	}
	message := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{%s}}`, method, params)
	status, said := send(t, http.MethodPost, endpoint, header, message)
	if status != http.StatusOK {
		t.Errorf("MCP %s at %s: %d %s", method, endpoint, status, said)
	}
	return said
}

// send sends a request whose target goes out as it is.
func send(t testing.TB, method, target string, header http.Header, body string) (status int, said string) {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(target, "://")
	r := &http.Request{Method: method, Host: u.Host, Header: header, URL: &url.URL{Scheme: u.Scheme, Host: u.Host, Opaque: "//" + rest}}
	if path, query, ok := strings.Cut(rest, "?"); ok {
		r.URL.Opaque, r.URL.RawQuery = "//"+path, query
	}
	if body != "" {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(data)
}

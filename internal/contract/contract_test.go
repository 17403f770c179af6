package contract

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/openapi"
	"patchbay/internal/wire"
)

func set(t testing.TB, documents ...string) *Set {
	t.Helper()
	var docs []*openapi.Document
	for i, text := range documents {
		d, err := openapi.Parse(fmt.Sprintf("%c.yaml", 'a'+i), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, d)
	}
	return NewSet(docs...)
}

const servers = `
openapi: 3.0.3
info: {title: Servers, version: 1.0.0}
servers:
- {url: 'https://API.example.com/v1/'}
- {url: 'https://{region}.example.com:{port}/v1', variables: {region: {default: eu}, port: {default: '8443'}}}
- {url: /relative}
paths:
  /things/{thingId}/parts/{part-id}.json:
    get: {operationId: part, responses: {}}
  /things:
    servers: [{url: 'https://items.example.com'}]
    get: {operationId: items, responses: {}}
    post: {operationId: own, servers: [{url: 'https://own.example.com/deep/base//'}], responses: {}}
  no-slash:
    get: {operationId: slashless, responses: {}}
`

func TestJoinFindsTheOperation(t *testing.T) {
	s := set(t, servers)
	for _, c := range []struct{ name, method, server, path, want string }{
		{"server, path and method", "GET", "https://api.example.com/v1", "/things/{thingId}/parts/{part-id}.json", "part"},
		{"placeholder names do not count", "GET", "https://api.example.com/v1", "/things/{a}/parts/{{b}}.json", "part"},
		{"nor does where the base ends", "GET", "https://api.example.com", "/v1/things/{a}/parts/{b}.json", "part"},
		{"nor trailing slashes of the base", "GET", "https://api.example.com/v1///", "/things/{a}/parts/{b}.json", "part"},
		{"nor the case of the host", "GET", "HTTPS://Api.Example.Com/v1", "/things/{a}/parts/{b}.json", "part"},
		{"but that of the path", "GET", "https://api.example.com/v1", "/Things/{a}/parts/{b}.json", ""},
		{"the method", "PUT", "https://api.example.com/v1", "/things/{a}/parts/{b}.json", ""},
		{"the scheme", "GET", "http://api.example.com/v1", "/things/{a}/parts/{b}.json", ""},
		{"the host", "GET", "https://example.com/v1", "/things/{a}/parts/{b}.json", ""},
		{"a trailing slash of the path", "GET", "https://api.example.com/v1", "/things/{a}/parts/{b}.json/", ""},
		{"and what is literal", "GET", "https://api.example.com/v1", "/things/{a}/parts/{b}", ""},
		{"a server with variables", "GET", "https://eu.example.com:8443/v1", "/things/{a}/parts/{b}.json", "part"},
		{"the path's own server", "GET", "https://items.example.com", "/things", "items"},
		{"which replaces the document's", "GET", "https://api.example.com/v1", "/things", ""},
		{"the operation's own server", "POST", "https://own.example.com/deep/base", "/things", "own"},
		{"which replaces the path's", "POST", "https://items.example.com", "/things", ""},
		{"a path without slash", "GET", "https://api.example.com/v1", "/no-slash", "slashless"},
		{"a base that is no address", "GET", "https://{store}.example.com", "/things", ""},
		{"no base", "GET", "", "/things", ""},
	} {
		op, problems := s.Join(c.method, c.server, c.path)
		got := ""
		if op != nil {
			got = op.ID
		}
		if got != c.want || problems != nil {
			t.Errorf("%s: found %q (%v), want %q", c.name, got, problems, c.want)
		}
	}
	var none *Set
	if op, problems := none.Join("GET", "https://api.example.com/v1", "/things"); op != nil || problems != nil {
		t.Errorf("no set found %v %v", op, problems)
	}
}

// The first document that describes an operation wins, and wins whole.
func TestJoinPrecedence(t *testing.T) {
	const document = `
openapi: 3.1.0
info: {title: %[1]s, version: 1.0.0}
servers: [{url: 'https://api.example.com'}]
paths:
  /both: {get: {operationId: both-%[1]s, responses: {}}}
  /%[1]s: {get: {operationId: only-%[1]s, responses: {}}}
`
	s := set(t, fmt.Sprintf(document, "first"), fmt.Sprintf(document, "second"))
	for path, want := range map[string]string{"/both": "a.yaml both-first", "/first": "a.yaml only-first", "/second": "b.yaml only-second"} {
		op, _ := s.Join("GET", "https://api.example.com", path)
		if op == nil || op.Document+" "+op.ID != want {
			t.Errorf("%s: %+v, want %s", path, op, want)
		}
	}
}

const described = `
openapi: %s
info: {title: Described, version: 1.0.0}
servers: [{url: 'https://api.example.com'}]
paths:
  /things/{thing}/{other}:
    parameters:
    - {name: thing, in: path, required: true, description: From the path., schema: {type: string}}
    - {name: page, in: query, description: From the path., schema: {type: string}}
    - {name: X-Trace, in: header, schema: {type: string}}
    post:
      operationId: make
      summary: Make it
      description: Makes it.
      parameters:
      - {name: page, in: query, description: From the operation., schema: {type: integer}, example: 5}
      - {name: joined, in: query, explode: false, schema: {type: array, items: {type: string}}}
      - {name: piped, in: query, style: pipeDelimited, schema: {type: array, items: {type: string}}}
      - {name: spaced, in: query, style: spaceDelimited, schema: {type: array, items: {type: string}}}
      - {name: spaced-apart, in: query, style: spaceDelimited, explode: true, schema: {type: array, items: {type: string}}}
      - {name: deep, in: query, style: deepObject, schema: {type: object}}
      - {name: json, in: query, content: {application/json: {schema: {type: object}}}}
      requestBody:
        required: true
        description: The thing.
        content:
          text/plain: {schema: {type: string}}
          'application/x-www-form-urlencoded; charset=utf-8': {schema: {type: object, properties: {Name: {type: string}}}}
          application/json: {schema: {type: object}}
      responses:
        default: {description: Wrong}
        '404': {content: {application/json: {schema: {type: string}}}}
        '202': {content: {text/plain: {schema: {type: string}}}}
        '201': {content: {application/hal+json: {schema: {type: object, title: Made}, example: {a: 1}}}}
        '200': {content: {application/json: {schema: {type: object, title: Other}}}}
`

func TestJoinReadsTheOperation(t *testing.T) {
	for _, version := range []string{"3.0.3", "3.1.0"} {
		op := join(t, fmt.Sprintf(described, version), "POST", "/things/{a}/{b}")
		got := fmt.Sprintf("%s: %s: %s\n", op.ID, op.Summary, op.Description)
		for i, p := range op.Path {
			if p == nil {
				got += fmt.Sprintf("path %d: nothing\n", i)
				continue
			}
			got += fmt.Sprintf("path %d: %s required=%t %s\n", i, p.Name, p.Required, p.Description)
		}
		for _, p := range op.Query {
			got += fmt.Sprintf("query: %s required=%t style=%d %s %s", p.Name, p.Required, p.Style, p.Schema.Types(), p.Description)
			if p.Example != nil {
				got += " " + string(p.Example.Append(nil))
			}
			got += "\n"
		}
		for _, p := range op.Header {
			got += fmt.Sprintf("header: %s\n", p.Name)
		}
		got += fmt.Sprintf("body: %s required=%t %s\n", op.Body.MediaType, op.Body.Required, op.Body.Description)
		got += fmt.Sprintf("success: %s %s\n", op.Success.Append(nil), op.SuccessExample.Append(nil))
		want := strings.TrimPrefix(`
make: Make it: Makes it.
path 0: thing required=true From the path.
path 1: nothing
query: page required=false style=0 an integer From the operation. 5
query: joined required=false style=1 an array 
query: piped required=false style=3 an array 
query: spaced required=false style=2 an array 
query: spaced-apart required=false style=0 an array 
query: deep required=false style=4 an object 
query: json required=false style=5 an object 
header: X-Trace
body: application/x-www-form-urlencoded required=true The thing.
success: {"type":"object","title":"Made"} {"a":1}
`, "\n")
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("OpenAPI %s (-want +got):\n%s", version, d)
		}
	}
}

func TestBodyMedia(t *testing.T) {
	for _, c := range []struct{ content, want, problem string }{
		{`{application/json: {}}`, wire.MediaJSON, ""},
		{`{application/vnd.api+json: {}}`, wire.MediaJSON, ""},
		{`{APPLICATION/JSON: {}}`, wire.MediaJSON, ""},
		{`{application/x-www-form-urlencoded: {}, application/json: {}}`, wire.MediaForm, ""},
		{`{multipart/form-data: {}, application/json: {}}`, wire.MediaJSON, ""},
		{`{multipart/form-data: {}}`, "", "a.yaml: a request body in multipart/form-data is not encoded here"},
		{`{}`, "", ""},
	} {
		s := set(t, `
openapi: 3.1.0
info: {title: Media, version: 1.0.0}
servers: [{url: 'https://api.example.com'}]
paths: {/a: {post: {requestBody: {content: `+c.content+`}}}}
`)
		op, problems := s.Join("POST", "https://api.example.com", "/a")
		media := ""
		if op.Body != nil {
			media = op.Body.MediaType
		}
		if media != c.want || strings.Join(problems, ";") != c.problem {
			t.Errorf("%s: %q %q", c.content, media, problems)
		}
	}
}

// What cannot be used is told; the rest of the contract holds.
func TestJoinProblems(t *testing.T) {
	const document = `
openapi: 3.1.0
info: {title: Problems, version: 1.0.0}
servers: [{url: 'https://api.example.com'}]
paths:
  /parameter: {get: {parameters: [{$ref: '#/components/parameters/Gone'}]}}
  /elsewhere: {get: {parameters: [{$ref: 'other.yaml#/a'}]}}
  /body: {post: {requestBody: {$ref: '#/components/requestBodies/Gone'}}}
  /response: {get: {responses: {'200': {$ref: '#/components/responses/Loop'}}}}
  /schema:
    post:
      requestBody: {content: {application/json: {schema: {type: object, properties: {a: {$ref: '#/gone'}, b: {pattern: '('}, c: {type: integer}}}}}}
components:
  responses:
    Loop: {$ref: '#/components/responses/Pool'}
    Pool: {$ref: '#/components/responses/Loop'}
`
	s := set(t, document)
	for _, c := range []struct {
		method, path string
		joined       bool
		want         []string
	}{
		{"GET", "/parameter", false, []string{`a.yaml cannot be used for GET /parameter: parameter 1: unresolvable reference "#/components/parameters/Gone"`}},
		{"GET", "/elsewhere", false, []string{`a.yaml cannot be used for GET /elsewhere: parameter 1: unresolvable reference "other.yaml#/a"`}},
		{"POST", "/body", false, []string{`a.yaml cannot be used for POST /body: request body: unresolvable reference "#/components/requestBodies/Gone"`}},
		{"GET", "/response", false, []string{`a.yaml cannot be used for GET /response: response 200: unresolvable reference: more than 32 references in a chain`}},
		{"POST", "/schema", true, []string{
			`a.yaml: schema of the request body: /properties/a/$ref: #/gone leads nowhere`,
			`a.yaml: schema of the request body: /properties/b/pattern: ( is not a regular expression that can be used`,
		}},
	} {
		op, problems := s.Join(c.method, "https://api.example.com", c.path)
		if (op != nil) != c.joined {
			t.Errorf("%s: joined %v", c.path, op)
		}
		for i := range problems {
			problems[i], _, _ = strings.Cut(problems[i], " (")
		}
		if len(problems) != len(c.want) {
			t.Errorf("%s: %q", c.path, problems)
			continue
		}
		for i := range problems {
			if !strings.HasPrefix(c.want[i], problems[i]) {
				t.Errorf("%s: %q, want %q", c.path, problems[i], c.want[i])
			}
		}
	}
}

func TestNamed(t *testing.T) {
	params := []*Param{{Name: "PageSize"}, {Name: "page"}, {Name: "date_created"}, {Name: "DateCreated"}, {Name: "DateCreated<"}}
	for name, want := range map[string]string{
		"PageSize": "PageSize", "page_size": "PageSize", "PAGE-SIZE": "PageSize", "Page": "page",
		"DateCreated": "DateCreated", "date_created": "date_created", "datecreated": "", "dateCreated<": "DateCreated<", "pages": "",
	} {
		got := ""
		if p := Named(params, name); p != nil {
			got = p.Name
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestErase(t *testing.T) {
	for path, want := range map[string]string{
		"/a/{b}/c":      "/a/{}/c",
		"/a/{{b}}/c":    "/a/{}/c",
		"/{a}.{b}":      "/{}.{}",
		"/a/{ b }":      "/a/{}",
		"/a/{b":         "/a/{b",
		"/a}/b":         "/a}/b",
		"":              "",
		"/a/{b/c}/d":    "/a/{}/d",
		"/{a}{b}/{{c}}": "/{}{}/{}",
	} {
		if got := Erase(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

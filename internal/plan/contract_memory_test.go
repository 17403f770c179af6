package plan

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"weak"

	"patchbay/internal/contract"
	"patchbay/internal/openapi"
	"patchbay/internal/spec"
)

const shipsCapability = `naftiko: 1.0.0-alpha2
info: {label: Ships}
capability:
  consumes:
  - type: http
    namespace: ships
    baseUri: https://ships.example.com/v1
    resources:
    - name: ship
      path: /ships/{imo}
      operations:
      - {name: joined, method: PUT, inputParameters: [{name: fields, in: query}]}
    - name: fleet
      path: /Fleets/{id}
      operations:
      - {name: missed, method: GET}
  - type: http
    namespace: harbours
    baseUri: https://api.example.com/v1
    resources:
    - name: harbour
      path: /harbours/{id}
      operations:
      - {name: elsewhere, method: GET}
  exposes:
  - type: mcp
    namespace: tools
    port: 9090
    tools:
    - {name: joined, description: d, call: ships.joined}
    - {name: missed, description: d, call: ships.missed}
    - {name: elsewhere, description: d, call: harbours.elsewhere}
`

// shipsContract describes one operation in every way that the plan looks at, a
// near miss, an operation at another server, and much that nobody asks for.
func shipsContract(bulk int, bodyField string) string {
	var b strings.Builder
	b.WriteString(`{"openapi":"3.1.0","info":{"title":"Ships","version":"1"},"servers":[{"url":"https://ships.example.com/v1"}],
"tags":[{"name":"ships","description":"All about ships, and nothing but ships."}],
"paths":{"/ships/{number}":{"parameters":[{"$ref":"#/components/parameters/Number"}],
"put":{"operationId":"putShip","summary":"Change a ship","description":"A description of some length, which is shown to models.","tags":["ships"],
"parameters":[{"name":"fields","in":"query","schema":{"type":"array","items":{"$ref":"#/components/schemas/Field"}},"example":["name","flag"]},
{"name":"X-Reason","in":"header","required":true,"schema":{"type":"string","pattern":"^[a-z]{3}$","x-patchbay-hints":{"*":"Three letters tell the reason."}}}],
"requestBody":{"required":true,"description":"The ship.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Ship"},"example":{"name":"Nadir"}}}},
"responses":{"200":{"description":"The ship as it is now.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Ship"},"examples":{"one":{"value":{"name":"Nadir of the north"}}}}}},
"404":{"$ref":"#/components/responses/Gone"}}}},
"/fleets/{id}":{"get":{"operationId":"getFleetInLowerCase","responses":{"200":{"description":"A fleet"}}}},
"/harbours/{id}":{"servers":[{"url":"https://harbours.example.com/v1"}],"get":{"operationId":"getHarbour","responses":{"200":{"description":"A harbour"}}}}`)
	for i := range bulk {
		fmt.Fprintf(&b, `,
"/bulk/%d/{x}":{"get":{"operationId":"bulk%d","description":%q,"responses":{"200":{"description":"Bulk"}}}}`, i, i, strings.Repeat("Nobody asks for this one. ", 60))
	}
	fmt.Fprintf(&b, `},"components":{"parameters":{"Number":{"name":"number","in":"path","required":true,"schema":{"type":"string","enum":["1","2"]}}},
"responses":{"Gone":{"description":"There is no such ship.","content":{"application/json":{"schema":{"type":"object","properties":{"message":{"type":"string"}}}}}}},
"schemas":{"Field":{"type":"string","enum":["name","flag"]},
"Ship":{"type":"object","required":["name"],"properties":{"name":{"type":"string","description":"The name, as painted."},%q:{"type":"string"},"owner":{"$ref":"#/components/schemas/Owner"}}},
"Owner":{"type":"object","properties":{"ship":{"$ref":"#/components/schemas/Ship"}}}}}}`, bodyField)
	return b.String()
}

// A plan keeps what it uses of a contract and nothing else: neither a document
// nor its text. Strings of a decoded document are slices of its text, so one
// that was not copied would show in the size of the heap.
func TestPlansHoldOnToNoContract(t *testing.T) {
	for _, c := range []struct{ name, file string }{{"JSON", "ships.openapi.json"}, {"YAML", "ships.openapi.yaml"}} {
		t.Run(c.name, func(t *testing.T) {
			text := shipsContract(3000, "flag")
			if c.name == "YAML" {
				text = "# a comment makes it YAML\n" + text
			}
			set, documents := contractSet(t, c.file, text)
			doc, _ := spec.Load("ships.yaml", []byte(shipsCapability))
			p, diags := Compile(doc, Options{Contracts: set, Profiles: profiles(t)})
			checkShips(t, p, diags.Sorted().HasErrors())
			diags, set = nil, nil

			kept := heap()
			for _, d := range documents {
				if d.Value() != nil {
					t.Error("a document is still there after compiling")
				}
			}
			tools := len(p.MCP[0].Tools)
			runtime.KeepAlive(p)
			p, doc = nil, nil
			if size := int(kept - heap()); size > len(text)/20 {
				t.Errorf("a plan of %d tools keeps %d bytes of contracts of %d bytes", tools, size, 2*len(text))
			} else {
				t.Logf("a plan of %d tools keeps %d bytes, of contracts of %d bytes", tools, size, 2*len(text))
			}
		})
	}
}

// contractSet makes a set of a document and of one that contradicts it, and
// tells when they are gone.
func contractSet(t *testing.T, name, text string) (*contract.Set, []weak.Pointer[openapi.Document]) {
	t.Helper()
	var docs []*openapi.Document
	var pointers []weak.Pointer[openapi.Document]
	for _, d := range []struct{ name, text string }{{name, text}, {"other." + name, strings.ReplaceAll(text, `"flag":{`, `"colour":{`)}} {
		doc, err := openapi.Parse(d.name, []byte(d.text))
		if err != nil {
			t.Fatal(err)
		}
		docs, pointers = append(docs, doc), append(pointers, weak.Make(doc))
	}
	return contract.NewSet(docs...), pointers
}

// checkShips looks at all that the plan took over, so that a plan that took
// nothing does not pass.
func checkShips(t *testing.T, p *Plan, broken bool) {
	t.Helper()
	uses := append(p.Upstreams[0].Contracts(), p.Upstreams[1].Contracts()...)
	joined, missed, elsewhere := uses[0], uses[1], uses[2]
	switch {
	case broken:
		t.Fatal("the capability has errors")
	case joined.Contract == nil || len(joined.Contract.Conflicts) != 1 || len(joined.Inputs) != 3 || len(joined.Contract.Answers()) != 2 || joined.Body.Fields != 3:
		t.Fatalf("joined: %+v", joined)
	case len(missed.Near) != 2 || missed.Near[0].Kind != contract.OtherCase:
		t.Fatalf("near: %+v", missed)
	case elsewhere.Server != "https://harbours.example.com/v1":
		t.Fatalf("elsewhere: %+v", elsewhere)
	}
}

// heap is the size of what is reachable, in bytes.
func heap() uint64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

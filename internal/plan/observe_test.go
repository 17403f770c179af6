package plan

import (
	"slices"
	"testing"

	"patchbay/internal/bind"
	"patchbay/internal/spec"
	"patchbay/internal/telemetry"
	"patchbay/internal/upstream"
)

// TestCallsAsTheyAreTold: audit lines and traces name the path that is called, the
// base address included, and never the value of a placeholder.
func TestCallsAsTheyAreTold(t *testing.T) {
	for _, c := range []struct{ name, base, replaced, want string }{
		{"a path", "https://parcels.example/v1/", "", "/v1/parcels/{id}"},
		{"none", "https://parcels.example", "", "/parcels/{id}"},
		{"a placeholder in it", "https://parcels.example/bot{{env.ACCOUNT}}/v1", "", "/bot{{env.ACCOUNT}}/v1/parcels/{id}"},
		{"a placeholder for all of it", "{{env.ADDRESS}}/v1", "", "/v1/parcels/{id}"},
		{"the operator's", "https://parcels.example/v1", "http://127.0.0.1:81/other/", "/other/parcels/{id}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, found := spec.Load("parcels.yaml", []byte(`
naftiko: 1.0.0-alpha2
info: {label: Parcels, description: Parcels}
binds: [{namespace: env, keys: {ACCOUNT: ACCOUNT, ADDRESS: ADDRESS}}]
capability:
  consumes:
  - type: http
    namespace: parcels
    baseUri: '`+c.base+`'
    description: Parcels
    resources:
    - name: parcel
      path: /parcels/{id}
      operations: [{name: send, method: POST, inputParameters: [{name: id, in: path}]}]
  exposes:
  - type: mcp
    namespace: parcels-mcp
    port: 9090
    description: Parcels
    tools: [{name: send, description: Sends, call: parcels.send, with: {id: tools.id}}]
`))
			p, more := Compile(doc, Options{})
			env, err := bind.New(bind.Options{Process: func(name string) (string, bool) {
				return map[string]string{"ACCOUNT": "AC7", "ADDRESS": "https://parcels.example/AC7"}[name], true
			}})
			if err != nil {
				t.Fatal(err)
			}
			opts := BindOptions{Environment: env, Upstream: upstream.Defaults(), Metrics: telemetry.NewMetrics("test")}
			host := "parcels.example"
			if c.replaced != "" {
				opts.BaseURLs = map[string]string{"parcels": c.replaced}
				host = "127.0.0.1:81"
			}
			b, most := Bind(p, opts)
			if found = append(append(found, more...), most...); found.HasErrors() {
				t.Fatal(found)
			}
			defer b.Close()
			op := p.MCP[0].Tools[0].Operation
			if got := b.Targets(op); !slices.Equal(got, []string{"POST " + host + c.want}) {
				t.Errorf("the targets are %q", got)
			}
			if got := b.counts[op.calls[0].to].Template; got != c.want {
				t.Errorf("the template is %q", got)
			}
		})
	}
}

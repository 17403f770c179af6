package rest

import (
	"bytes"
	"net/http/httptest"
	"testing"

	"patchbay/capabilities"
	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/plan"
	"patchbay/internal/spec"
)

// FuzzBody: whatever a body holds and is called, it is read into values or
// refused as the caller's fault, within the bound.
func FuzzBody(f *testing.F) {
	doc, _ := spec.Load("flex-interactions.yaml", capabilities.FlexInteractions().Data)
	p, _ := plan.Compile(doc, plan.Options{})
	h := New(Options{Members: []Member{{Adapter: p.REST[0]}}, MaxBody: 1 << 12})
	route, _ := h.routes.Match("/v1/interactions", nil)
	create, ok := route.Method("POST")
	if !ok {
		f.Fatal("there is no create")
	}
	for _, body := range []string{`{"Channel":{"type":"web"}}`, `{"a":1,"a":2}`, `Channel=%7B%7D&Channel=x`, "\xff", `[`, `a=%`, ""} {
		f.Add("application/json", []byte(body))
		f.Add("application/x-www-form-urlencoded; charset=utf-8", []byte(body))
	}
	f.Fuzz(func(t *testing.T, media string, body []byte) {
		r := httptest.NewRequest("POST", "/v1/interactions", bytes.NewReader(body))
		r.Header["Content-Type"] = []string{media}
		x := &exchange{h: h, r: r, e: create}
		refused := x.inputs(nil)
		value := &x.args.Values[create.body]
		switch {
		case refused == nil && len(body) > 1<<12:
			t.Errorf("%d bytes were read", len(body))
		case refused == nil:
			if again, err := jsonvalue.Parse(value.Append(nil)); !value.IsAbsent() && (err != nil || !jsonvalue.Equal(value, &again)) {
				t.Errorf("%q gives a value that is none: %v", body, err)
			}
		case refused.Kind != fault.InvalidInput && refused.Kind != fault.UnsupportedMedia && refused.Kind != fault.TooLarge:
			t.Errorf("%q as %q: %v", body, media, refused)
		}
	})
}

package contract

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/wire"
)

// What of a body is one field of a form, and what is repeated.
func TestFormFields(t *testing.T) {
	body := join(t, forms, "POST", "/form").Body
	for _, c := range []struct{ name, in, want string }{
		{"a list repeats", `{"Tags":["a","b"]}`, "Tags=a&Tags=b"},
		{"a list of objects repeats", `{"Configuration.Filters":[{"a":1}]}`, "Configuration.Filters=%7B%22a%22%3A1%7D"},
		{"an empty list is nothing", `{"Tags":[]}`, ""},
		{"an array where anything may be", `{"Any":["a",{"b":1.0}]}`, "Any=%5B%22a%22%2C%7B%22b%22%3A1.0%7D%5D"},
		{"an empty array where anything may be", `{"Status":"x","Any":[],"Tags":["a"]}`, "Status=x&Any=%5B%5D&Tags=a"},
		{"an array where an object is due", `{"Routing":[1]}`, "Routing=%5B1%5D"},
		{"an array where a text is due", `{"Status":["a","b"]}`, "Status=a&Status=b"},
		{"a field that is not known", `{"Unknown":["a","b"]}`, "Unknown=a&Unknown=b"},
		{"everything else", `{"Any":{"a":[]},"Muted":true,"Status":null}`, "Any=%7B%22a%22%3A%5B%5D%7D&Muted=true"},
	} {
		v := parse(t, c.in)
		before := string(v.Append(nil))
		fields := body.FormFields(v)
		if d := cmp.Diff(c.want, string(wire.AppendForm(nil, &fields))); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
		if after := string(v.Append(nil)); after != before {
			t.Errorf("%s: the caller's value became %s", c.name, after)
		}
	}
}

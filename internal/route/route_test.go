package route

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func table(t *testing.T, routes ...string) *Table[string] {
	t.Helper()
	tab := &Table[string]{}
	for _, r := range routes {
		method, path, _ := strings.Cut(r, " ")
		if clash := tab.Add(path, method, r); clash != nil {
			t.Fatalf("%s clashes with %s", r, clash.With)
		}
	}
	return tab
}

func TestMatch(t *testing.T) {
	tab := table(t,
		"POST /v1/interactions",
		"GET /v1/interactions/{interactionsid}",
		"GET /v1/interactions/latest",
		"GET /v1/interactions/{interactionsid}/channels",
		"GET /v1/interactions/{interactionsid}/channels/{channelsid}",
		"POST /v1/interactions/{i}/channels/{c}",
		"GET /docs/{name}.json",
		"GET /docs/{a}-{b}.json",
		"GET /docs/{name}",
		"GET /odata/Orders({id})", "GET /odata/Orders({id})/{part}", "GET /odata/Ord{rest}", "GET /odata/{any}s({id})", "GET /odata/{any}",
		"GET /a/{x}/c", "GET /a/b/d",
		"GET /odd/{ship id}/{$select}/{{legacy}}",
		"GET /",
		"GET /sp ace/x",
	)
	for _, tt := range []struct{ request, want string }{
		{"POST /v1/interactions", "POST /v1/interactions"},
		{"GET /v1/interactions/KD1", "GET /v1/interactions/{interactionsid} [KD1]"},
		{"HEAD /v1/interactions/KD1", "GET /v1/interactions/{interactionsid} [KD1]"},
		{"GET /v1/interactions/latest", "GET /v1/interactions/latest"},
		{"GET /v1/interactions/a%2Fb/channels", "GET /v1/interactions/{interactionsid}/channels [a%2Fb]"},
		{"POST /v1/interactions/1/channels/2", "POST /v1/interactions/{i}/channels/{c} [1 2]"},
		{"PUT /v1/interactions/1", "405 GET, HEAD"},
		{"GET /v1/interactions/", "404 /v1/interactions"},
		{"GET /v1/Interactions/KD1", "404 /v1/interactions/{interactionsid}"},
		{"GET /v1/interactions/KD1/", "404 /v1/interactions/{interactionsid}"},
		{"GET /v1/%69nteractions/x", "GET /v1/interactions/{interactionsid} [x]"},
		{"GET /docs/x.json", "GET /docs/{name}.json [x]"},
		{"GET /docs/x-y-z.json", "GET /docs/{a}-{b}.json [x y-z]"},
		{"GET /docs/.json", "GET /docs/{name} [.json]"},
		{"GET /odata/Orders(7)", "GET /odata/Orders({id}) [7]"},
		{"GET /odata/Orders(7)/a", "GET /odata/Orders({id})/{part} [7 a]"},
		{"GET /odata/Orders()", "GET /odata/Ord{rest} [ers()]"},
		{"GET /odata/Ships(7)", "GET /odata/{any}s({id}) [Ship 7]"},
		{"GET /odata/Ship", "GET /odata/{any} [Ship]"},
		{"GET /odata/", "404"},
		{"GET /a/b/c", "GET /a/{x}/c [b]"},
		{"GET /a/b/d", "GET /a/b/d"},
		{"GET /odd/1/2/3", "GET /odd/{ship id}/{$select}/{{legacy}} [1 2 3]"},
		{"GET /", "GET /"},
		{"GET //", "404 /"},
		{"GET /sp%20ace/x", "GET /sp ace/x"},
		{"GET ", "404"},
		{"GET /" + strings.Repeat("a/", 100), "404"},
	} {
		method, path, _ := strings.Cut(tt.request, " ")
		got := ""
		r, params := tab.Match(path, nil)
		switch {
		case r == nil:
			got = strings.TrimSpace("404 " + tab.Suggest(path))
		default:
			if v, ok := r.Method(method); ok {
				got = v
				if len(params) > 0 {
					got += fmt.Sprint(" ", params)
				}
			} else {
				got = "405 " + strings.Join(r.Allow(), ", ")
			}
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.request, got, tt.want)
		}
	}
}

func TestClash(t *testing.T) {
	tab := table(t, "GET /a/{x}")
	if clash := tab.Add("/a/{y}", "GET", "second"); clash == nil || clash.With != "/a/{x}" || clash.Value != "GET /a/{x}" {
		t.Errorf("got %+v, want a clash with /a/{x}", clash)
	}
	if clash := tab.Add("/a/{y}", "POST", "second"); clash != nil {
		t.Errorf("another method clashes with %s", clash.With)
	}
}

func TestParts(t *testing.T) {
	for _, tt := range []struct {
		in       string
		literals []string
		names    []string
	}{
		{"abc", []string{"abc"}, nil},
		{"{X}.json", []string{"", ".json"}, []string{"X"}},
		{"{{x}}", []string{"", ""}, []string{"x"}},
		{"a{ b }c{d}", []string{"a", "c", ""}, []string{"b", "d"}},
		{"{open", []string{"{open"}, nil},
	} {
		literals, names := Parts(tt.in)
		if diff := cmp.Diff(tt.literals, literals); diff != "" {
			t.Errorf("%s: literals %s", tt.in, diff)
		}
		if diff := cmp.Diff(tt.names, names); diff != "" {
			t.Errorf("%s: names %s", tt.in, diff)
		}
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	tab := table(t, "GET /v1/interactions/{i}/channels/{c}", "GET /v1/interactions/{i}", "GET /v1/x")
	var room [MaxParams]string
	if n := testing.AllocsPerRun(100, func() {
		if r, _ := tab.Match("/v1/interactions/KD1/channels/UO1", room[:0]); r == nil {
			t.Fatal("no match")
		}
	}); n != 0 {
		t.Errorf("Match allocates %v times", n)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("/v1/{a}/x.{b}", "/v1/q/x.y")
	f.Add("/{{a}}/{b", "/1/{b")
	f.Add("/a{b}c{d}e", "/abcde")
	f.Fuzz(func(t *testing.T, pattern, path string) {
		tab := &Table[int]{}
		tab.Add(pattern, "GET", 1)
		tab.Suggest(path)
		r, params := tab.Match(path, nil)
		if r == nil {
			return
		}
		// What matched must give the path back when the values are put in.
		var built []string
		i := 0
		for _, segment := range Split(pattern) {
			literals, names := Parts(segment)
			s := literals[0]
			for j := range names {
				s += params[i] + literals[j+1]
				i++
			}
			built = append(built, s)
		}
		got, _ := url.PathUnescape("/" + strings.Join(built, "/"))
		want, _ := url.PathUnescape(path)
		if got != want {
			t.Errorf("pattern %q matched %q with %q", pattern, path, params)
		}
	})
}

package engine_test

import (
	"net/http"
	"strings"
	"testing"

	"patchbay/internal/deploy"
)

// Each adapter has its own choice of tools, also where it shares an address.
func TestToolsOfOneAdapter(t *testing.T) {
	files := map[string]string{"tea.yaml": shopFile("tea", "TEA_KEY", ""), "rum.yaml": shopFile("rum", "RUM_KEY", "")}
	environment := map[string]string{"TEA_KEY": "t", "RUM_KEY": "r"}
	bound := func(settings map[string]deploy.Adapter) (*site, error) {
		s, problems, err := several(t, files, environment, func(o *deploy.Options) { o.AdapterSettings, o.MountAll = settings, true })
		if err != nil || problems.HasErrors() {
			t.Fatalf("%v %v", err, problems)
		}
		return s, s.engine.Check(s.deployment)
	}
	s, err := bound(map[string]deploy.Adapter{"tea-mcp": {ReadOnly: true}})
	if err != nil {
		t.Fatal(err)
	}
	s.start(nil, nil)
	for path, want := range map[string]string{
		"/mcp/tea-mcp": "get-thing",
		"/mcp/rum-mcp": "get-thing rum-put",
		"/mcp":         "rum-mcp-get-thing rum-put tea-mcp-get-thing",
	} {
		list := s.rpc(path, "", "tools/list", "{}")
		for _, tool := range []string{"tea-put", "rum-put"} {
			if got := strings.Contains(list, `"name":"`+tool+`"`); got != strings.Contains(want, tool) {
				t.Errorf("%s: %s is offered: %t, want %s\n%s", path, tool, got, want, list)
			}
		}
	}
	for name, c := range map[string]struct {
		settings map[string]deploy.Adapter
		want     string
	}{
		"another one's tool": {map[string]deploy.Adapter{"tea-mcp": {Tools: []string{"rum-put"}}}, `tea-mcp: there is no tool "rum-put"`},
		"no tools at all":    {map[string]deploy.Adapter{"tea-rest": {Tools: []string{"tea-put"}}}, "tea-rest has no tools to choose from"},
		"its own":            {map[string]deploy.Adapter{"tea-mcp": {Tools: []string{"tea-put"}}}, ""},
		"one of all of them": {map[string]deploy.Adapter{"": {Tools: []string{"rum-put"}}}, ""},
		"a tag of its own":   {map[string]deploy.Adapter{"tea-mcp": {Tags: []string{"tea"}}}, ""},
		"a tag that is not":  {map[string]deploy.Adapter{"tea-mcp": {Tags: []string{"te"}}}, `tea-mcp: there is no tag "te"`},
	} {
		_, err := bound(c.settings)
		if got := ""; err != nil {
			if got = err.Error(); c.want == "" || !strings.Contains(got, c.want) {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		} else if c.want != "" {
			t.Errorf("%s: taken, want %q", name, c.want)
		}
	}
}

// An adapter's own bound of bodies holds for its address.
func TestBodiesOfOneAdapter(t *testing.T) {
	s := serve(t, settings{options: func(o *deploy.Options) {
		o.AdapterSettings = map[string]deploy.Adapter{"flex-interactions-rest": {MaxBody: 10}}
	}})
	if got := s.REST("POST /v1/interactions\nContent-Type: application/json\n\n{\"Channel\": {}}\n"); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d:\n%s", got.status, got.body)
	}
}

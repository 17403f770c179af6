package deploy

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzIsMount: a mount is a path of plain segments, which no client and no proxy
// reads as another one.
func FuzzIsMount(f *testing.F) {
	for _, seed := range []string{"", "/", "/a", "/a/b", "/a/", "//a", "/a/../b", "/.", "/.patchbay", "/a%2fb", "/{a}", "/a?b", "a", "/é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, prefix string) {
		if !IsMount(prefix) {
			return
		}
		u, err := url.Parse("http://host" + prefix)
		if err != nil || u.EscapedPath() != prefix || u.RawQuery != "" || u.Fragment != "" || u.JoinPath().Path != prefix || strings.HasSuffix(prefix, "/") {
			t.Errorf("%q is %v, %v", prefix, u, err)
		}
	})
}

// FuzzCheck: what an operator types is refused or fits, and never ends the process.
func FuzzCheck(f *testing.F) {
	f.Add("a", "127.0.0.1:0", "/a", "https://api.example.com/v1", "NAME", "form")
	f.Add("", ":", "/", "http://", "a=b", "xml")
	f.Add("é", "[::1]:99999", "/..", "http://[::1", "", "json")
	f.Fuzz(func(t *testing.T, namespace, listen, mount, upstream, variable, kind string) {
		o := Defaults()
		o.Listen[namespace], o.Mounts[namespace], o.Upstreams[namespace], o.Renames[namespace], o.BodyTypes[namespace] = listen, mount, upstream, variable, kind
		o.ListenREST, o.ListenMCP, o.Control.Listen, o.Telemetry.OTLP = listen, listen, listen, upstream
		if err := o.Check(); err != nil {
			return
		}
		if a := o.Adapter(namespace); a.Mount != mount || !IsMount(a.Mount) || o.Upstream(namespace).BaseURL != upstream {
			t.Errorf("%+v", a)
		}
	})
}

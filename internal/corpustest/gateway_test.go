package corpustest

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"patchbay/internal/bind"
	"patchbay/internal/deploy"
	"patchbay/internal/diag"
	"patchbay/internal/engine"
)

// gateway is the product: started, and known by its addresses.
type gateway struct {
	upstream *recorder
	// rest holds what precedes the routes of an adapter, tools the endpoint of an
	// adapter, by namespace; all is the endpoint of all tools.
	rest, tools map[string]string
	site, all   string
	// noticed counts the requests that were made wrong to test the expectation.
	noticed map[string]int
}

// The operator's values, as awkward as credentials can be.
const (
	user     = "AC-ünïcode/+%&"
	password = "p@ss:w0rd with spaces, \"quotes\" & ü"
	version  = "1.2.3-test"
)

// environment is the operator's. SendGrid's files want their key under the name
// of Twilio's; each has one of its own here.
func environment(name string) (string, bool) {
	if namespace, ok := strings.CutPrefix(name, "KEY_"); ok {
		return "SG.t0ken-._~+/" + namespace + "==", true
	}
	value, ok := map[string]string{"TWILIO_USER": user, "TWILIO_PASS": password, "TWILIO_API_KEY": "for Twilio only"}[name]
	return value, ok
}

// mapped is the operator's name for a variable of a file.
func mapped(namespace, name string) string {
	if name == "TWILIO_API_KEY" {
		return "KEY_" + strings.ReplaceAll(namespace, "-", "_")
	}
	return name
}

// serve serves all files in one process, every adapter of REST on one address and
// every adapter of MCP on another, with the routes of each file below its
// namespace. Each consumed API is called below a path of its own on the recorder,
// so that a request shows which one sent it.
func serve(t *testing.T, files, contracts []string) *gateway {
	t.Helper()
	opts := deploy.Defaults()
	opts.Files, opts.Contracts, opts.ContractsFirst, opts.MountAll = files, contracts, true, true
	loaded, found, err := engine.Load(&opts)
	if err != nil || found.HasErrors() {
		t.Fatal(err, found)
	}
	g := &gateway{upstream: newRecorder(t), rest: map[string]string{}, tools: map[string]string{}, noticed: map[string]int{}}
	for _, p := range loaded.Plans {
		for _, u := range p.Upstreams {
			base, err := url.Parse(u.BaseURI)
			if err != nil {
				t.Fatal(err)
			}
			opts.Upstreams[u.Namespace] = g.upstream.URL + "/" + u.Namespace + base.Path
			if u.Host == "api.sendgrid.com" {
				opts.Renames[u.Namespace+".TWILIO_API_KEY"] = mapped(u.Namespace, "TWILIO_API_KEY")
			}
		}
	}
	opts.ListenREST, opts.ListenMCP = "127.0.0.1:0", "127.0.0.1:0"
	if err := g.start(t, loaded, &opts); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *gateway) start(t *testing.T, loaded *engine.Loaded, opts *deploy.Options) error {
	t.Helper()
	env, err := bind.New(bind.Options{Process: environment, Renames: opts.Renames})
	if err != nil {
		t.Fatal(err)
	}
	deployment, found, err := engine.Bind(loaded, opts, engine.BindOptions{Environment: env, Version: version})
	if err != nil || found.HasErrors() {
		t.Fatal(err, errorsOf(found))
	}
	e := engine.New(engine.Config{Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Version: version})
	served, err := e.Start(deployment)
	if err != nil {
		_ = e.Shutdown(0)
		return err
	}
	t.Cleanup(func() {
		if err := e.Shutdown(20 * time.Second); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	})
	if len(served) != 2 {
		t.Fatalf("there are %d listeners, want one for REST and one for MCP", len(served))
	}
	for _, at := range served {
		if len(at.MCP) > 0 {
			g.all = at.URL
		} else {
			g.site = at.URL
		}
		for _, a := range at.REST {
			g.rest[a.Adapter.Namespace] = a.URL
		}
		for _, a := range at.MCP {
			g.tools[a.Adapter.Namespace] = a.URL
		}
	}
	return nil
}

func errorsOf(found diag.List) string {
	var b strings.Builder
	for _, d := range found {
		if d.Severity == diag.Error {
			fmt.Fprintln(&b, d.Message)
		}
	}
	return b.String()
}

package corpustest

import (
	"io"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"patchbay/internal/bind"
	"patchbay/internal/deploy"
	"patchbay/internal/engine"
)

// gateway is the product: started, and known by its addresses.
type gateway struct {
	upstream *recorder
	// addresses are the base URLs of the adapters, by namespace.
	addresses map[string]string
	// noticed counts the requests that were made wrong to test the expectation.
	noticed map[string]int
}

// The operator's values, as awkward as credentials can be.
const (
	user     = "AC-ünïcode/+%&"
	password = "p@ss:w0rd with spaces, \"quotes\" & ü"
	token    = "SG.t0ken-._~+/=="
	version  = "1.2.3-test"
)

func environment(name string) (string, bool) {
	value, ok := map[string]string{"TWILIO_USER": user, "TWILIO_PASS": password, "TWILIO_API_KEY": token}[name]
	return value, ok
}

// serve loads files with contracts, and serves every adapter on a port of its
// own. Each consumed API is called below a path of its own on the recorder, so
// that a request shows which one sent it.
func serve(t *testing.T, files, contracts []string) *gateway {
	t.Helper()
	g := &gateway{upstream: newRecorder(t), addresses: map[string]string{}, noticed: map[string]int{}}
	opts := deploy.Defaults()
	opts.Files, opts.Contracts, opts.ContractsFirst = files, contracts, true
	loaded, found, err := engine.Load(&opts)
	if err != nil || found.HasErrors() {
		t.Fatal(err, found)
	}
	for _, p := range loaded.Plans {
		for _, u := range p.Upstreams {
			base, err := url.Parse(u.BaseURI)
			if err != nil {
				t.Fatal(err)
			}
			opts.Upstreams[u.Namespace] = g.upstream.URL + "/" + u.Namespace + base.Path
		}
		for _, a := range p.REST {
			opts.Listen[a.Namespace] = "127.0.0.1:0"
		}
		for _, a := range p.MCP {
			opts.Listen[a.Namespace] = "127.0.0.1:0"
		}
	}
	env, err := bind.New(bind.Options{Process: environment})
	if err != nil {
		t.Fatal(err)
	}
	deployment, found, err := engine.Bind(loaded, &opts, engine.BindOptions{Environment: env, Version: version})
	if err != nil || found.HasErrors() {
		t.Fatal(err, found)
	}
	e := engine.New(engine.Config{Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Version: version})
	served, err := e.Start(deployment)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Shutdown(20 * time.Second); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	})
	for _, s := range served {
		g.addresses[s.Namespace] = s.URL
	}
	return g
}

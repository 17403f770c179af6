// Handwritten is the floor of the REST rows: what a programmer writes who has
// this one job, with net/http and nothing else. It puts credentials in and turns
// the JSON of a create into the provider's form. It checks nothing.
package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"patchbay-bench/internal/origin"
)

func main() {
	flags, upstream := origin.Parse()
	g := &gateway{upstream: upstream}
	g.buffers.New = func() any { return new([16 << 10]byte) }
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/interactions/{sid}", g.fetch)
	mux.HandleFunc("POST /v1/interactions", g.create)
	flags.Serve(mux)
}

type gateway struct {
	upstream *origin.Client
	buffers  sync.Pool // of *[16 << 10]byte
}

func (g *gateway) fetch(w http.ResponseWriter, r *http.Request) {
	res, err := g.upstream.Do(r.Context(), http.MethodGet, "/Interactions/"+url.PathEscape(r.PathValue("sid")), nil)
	g.relay(w, res, err)
}

func (g *gateway) create(w http.ResponseWriter, r *http.Request) {
	var body map[string]json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	form := make(url.Values, len(body))
	for name, value := range body {
		form.Set(name, string(value))
	}
	res, err := g.upstream.Do(r.Context(), http.MethodPost, "/Interactions", strings.NewReader(form.Encode()))
	g.relay(w, res, err)
}

// relay passes an answer on.
func (g *gateway) relay(w http.ResponseWriter, res *http.Response, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer res.Body.Close()
	for _, name := range []string{"Content-Type", "Content-Length"} {
		if value := res.Header[name]; value != nil {
			w.Header()[name] = value
		}
	}
	w.WriteHeader(res.StatusCode)
	buffer := g.buffers.Get().(*[16 << 10]byte)
	// Without this, io.CopyBuffer hands the work to a ReadFrom with a buffer of its own.
	_, _ = io.CopyBuffer(struct{ io.Writer }{w}, res.Body, buffer[:])
	g.buffers.Put(buffer)
}

package control

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"time"

	"patchbay/internal/telemetry"
)

//go:embed overview.tmpl
var overviewText string

//go:embed overview.css
var overviewStyle string

// shown bounds the requests on the page; /traces has all that are kept.
const shown = 50

// overview is the page for people: state, adapters, upstreams, and the last
// requests and errors. It has no script.
func (h *Handler) overview(w http.ResponseWriter, _ *http.Request) {
	t, err := template.New("overview").Funcs(template.FuncMap{
		"style": func() template.CSS { return template.CSS(overviewStyle) },
		"clock": func(t time.Time) string { return t.Format("15:04:05.000") },
		"ago": func(seconds float64) string {
			return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
		},
	}).Parse(overviewText)
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	var out bytes.Buffer
	err = t.Execute(&out, struct {
		Status
		Recent telemetry.RecentView
	}{h.opts.Status(), h.opts.Recent.View(telemetry.Filter{Limit: shown})})
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	sum := sha256.Sum256([]byte(overviewStyle))
	header := w.Header()
	header["Content-Security-Policy"] = []string{"default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"}
	header["Content-Type"] = []string{"text/html; charset=utf-8"}
	_, _ = w.Write(out.Bytes())
}

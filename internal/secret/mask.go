package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
)

// Mask replaces known secrets in text that was made elsewhere: an error of the
// network that repeats what an upstream said, for example. It is the second
// line of defence; the first is that secrets are [Value]s. A nil or zero Mask
// replaces nothing. It is safe for concurrent use.
type Mask struct {
	mu    sync.Mutex
	forms atomic.Pointer[[]string]
}

// shortest is the length in bytes from which a value is masked: anything
// shorter is also a word of other texts.
const shortest = 6

// Add makes values known, in the forms that they take on their way: as they
// are, escaped in a query, in JSON, and in base64.
func (m *Mask) Add(values ...Value) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var next []string
	if have := m.forms.Load(); have != nil {
		next = append(next, *have...)
	}
	known := map[string]bool{}
	for _, form := range next {
		known[form] = true
	}
	for _, v := range values {
		for _, form := range v.forms() {
			if !known[form] {
				known[form] = true
				next = append(next, form)
			}
		}
	}
	m.forms.Store(&next)
}

// forms are the texts that stand for the value.
func (v Value) forms() []string {
	if len(v.value) < shortest {
		return nil
	}
	out := []string{v.value, base64.StdEncoding.EncodeToString([]byte(v.value)), url.QueryEscape(v.value), url.PathEscape(v.value)}
	if quoted, err := json.Marshal(v.value); err == nil {
		out = append(out, string(quoted[1:len(quoted)-1]))
	}
	return out
}

// String returns a text without the secrets in it.
func (m *Mask) String(s string) string {
	for _, form := range m.known() {
		if strings.Contains(s, form) {
			s = strings.ReplaceAll(s, form, Redacted)
		}
	}
	return s
}

// Bytes returns text without the secrets in it: the text itself where it holds
// none, a copy otherwise.
func (m *Mask) Bytes(text []byte) []byte {
	for _, form := range m.known() {
		if bytes.Contains(text, []byte(form)) {
			text = bytes.ReplaceAll(text, []byte(form), []byte(Redacted))
		}
	}
	return text
}

func (m *Mask) known() []string {
	if m == nil {
		return nil
	}
	if forms := m.forms.Load(); forms != nil {
		return *forms
	}
	return nil
}

// Writer returns a writer that masks what passes. A secret is found where it is
// whole in one Write, as the lines of a log are.
func (m *Mask) Writer(w io.Writer) io.Writer { return maskWriter{m, w} }

type maskWriter struct {
	mask *Mask
	w    io.Writer
}

func (w maskWriter) Write(p []byte) (int, error) {
	if _, err := w.w.Write(w.mask.Bytes(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

package engine

import (
	"io"
	"net/http"
	"slices"
)

// Retire says that the end is near, for whoever stands before this process and
// chooses where requests go: it is not ready any more, and each answer from now on
// tells its client to use another connection for the next request. Listeners go on
// accepting and answering until Shutdown, and connections on which nothing happens
// stay open: closing them could meet a request that is on its way. Nothing is
// reloaded any more.
func (e *Engine) Retire() {
	e.observed.draining.Store(true)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopping = true
	for _, l := range slices.Concat(e.listeners, e.leaving) {
		l.retiring.Store(true)
	}
}

// answer is a response of a listener that may retire before its header is
// written. net/http would close idle connections if it was told to end kept ones,
// and has no other way to say it for requests under way. Over HTTP/2 the same field
// becomes a GOAWAY.
type answer struct {
	http.ResponseWriter
	of    *listener
	begun bool
}

// answerWith runs a handler.
func (l *listener) answerWith(h http.Handler, w http.ResponseWriter, r *http.Request) {
	a, _ := l.answers.Get().(*answer)
	if a == nil {
		a = new(answer)
	}
	a.ResponseWriter, a.of, a.begun = w, l, false
	// After a panic it is not used again: somebody may still have it.
	h.ServeHTTP(a, r)
	a.begin()
	*a = answer{}
	l.answers.Put(a)
}

// begin is called before the header leaves.
func (a *answer) begin() {
	if !a.begun && a.of.retiring.Load() {
		a.Header()["Connection"] = []string{"close"}
	}
	a.begun = true
}

// WriteHeader implements [http.ResponseWriter].
func (a *answer) WriteHeader(status int) {
	if status >= http.StatusOK {
		a.begin()
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements [io.Writer].
func (a *answer) Write(b []byte) (int, error) {
	a.begin()
	return a.ResponseWriter.Write(b)
}

// ReadFrom lets files go to the connection without a detour.
func (a *answer) ReadFrom(r io.Reader) (int64, error) {
	a.begin()
	return io.Copy(a.ResponseWriter, r)
}

// FlushError writes the header, where that has not happened.
func (a *answer) FlushError() error {
	a.begin()
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// Unwrap is for [http.ResponseController].
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

package corpustest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// recorder is an upstream on a real socket that keeps what arrives and answers
// every request with an empty object.
type recorder struct {
	*httptest.Server
	mu       sync.Mutex
	requests []recorded
}

type recorded struct {
	// target is the request line's, byte for byte.
	method, target string
	header         http.Header
	body           string
}

func newRecorder(t testing.TB) *recorder {
	u := &recorder{}
	u.Server = httptest.NewServer(u)
	t.Cleanup(u.Close)
	return u
}

func (u *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	u.mu.Lock()
	u.requests = append(u.requests, recorded{method: r.Method, target: r.RequestURI, header: r.Header, body: string(body)})
	u.mu.Unlock()
	w.Header().Set("Content-Type", jsonMedia)
	_, _ = io.WriteString(w, "{}")
}

// take returns the requests since the last time.
func (u *recorder) take() []recorded {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.requests
	u.requests = nil
	return taken
}

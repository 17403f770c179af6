package dialect

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// recorder is an upstream on a real socket that keeps what it was asked.
type recorder struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []string
	last   string
	status int
	body   string
}

func newRecorder(t *testing.T) *recorder {
	u := &recorder{status: http.StatusOK, body: `{"ok":true}`}
	u.Server = httptest.NewServer(u)
	t.Cleanup(u.Close)
	return u
}

// script reads a block ANSWER STATUS [BODY].
func (u *recorder) script(block string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	status, body, _ := strings.Cut(strings.TrimPrefix(block, "ANSWER "), " ")
	u.status, _ = strconv.Atoi(status)
	u.body = body
}

func (u *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	u.mu.Lock()
	u.asked = append(u.asked, shown(r, string(body)))
	status, answer := u.status, u.body
	u.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer)
}

// usual are headers that say nothing about the dialect.
var usual = map[string]string{"User-Agent": "*", "Accept-Encoding": "*", "Content-Length": "*", "Accept": "application/json"}

// shown is a request for reading: headers sorted, without the usual ones.
func shown(r *http.Request, body string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "  %s %s\n", r.Method, r.RequestURI)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[name] {
			if u := usual[name]; u == "*" || u == value {
				continue
			}
			if user, password, ok := r.BasicAuth(); ok && name == "Authorization" {
				value = "Basic <" + user + ":" + password + ">"
			}
			fmt.Fprintf(&out, "  %s: %s\n", name, value)
		}
	}
	if body != "" {
		for line := range strings.SplitSeq(strings.TrimRight(strings.ReplaceAll(body, "\r\n", "\n"), "\n"), "\n") {
			out.WriteString(strings.TrimRight("  | "+line, " ") + "\n")
		}
	}
	return out.String()
}

// take returns the requests since the last call. One that equals the one before
// it is only said to.
func (u *recorder) take() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	out := ""
	for _, asked := range u.asked {
		if asked == u.last {
			out += "  the same request\n"
			continue
		}
		out += asked
		u.last = asked
	}
	u.asked = nil
	return out
}

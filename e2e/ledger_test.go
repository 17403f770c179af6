package e2e

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// ledger is an upstream that keeps account: how often the request for an id came, and
// how often its change was applied, which must never be twice. Below /NAME/v1 it is
// called by the replica of that name. What else it does to requests, a fate decides.
type ledger struct {
	*httptest.Server
	// fate is what happens to the n-th request of an id; nil answers all.
	fate func(id string, n int) fate
	// think is how long an answer takes.
	think time.Duration

	mu      sync.Mutex
	entries map[string]entry
	// held are ids whose requests wait for release, or for their client to leave;
	// arrived are those that do, with the replica that sent them.
	held    map[string]bool
	arrived map[string]string
	release chan struct{}
}

// entry is what is known of an id.
type entry struct{ seen, applied int }

// fate is what happens to a request.
type fate int

const (
	answered    fate = iota // applied and answered
	resetBefore             // reset, and not applied
	resetAfter              // applied, and reset
	half                    // applied, and half of an answer
	stalled                 // applied, and no answer
	garbage                 // applied, and answered in another protocol
	failed500               // applied, perhaps
	failed503               // applied, perhaps
	refused429              // not applied, as Twilio promises
)

func newLedger(t *testing.T, fate func(id string, n int) fate) *ledger {
	l := &ledger{fate: fate, entries: map[string]entry{}, held: map[string]bool{}, arrived: map[string]string{}, release: make(chan struct{})}
	l.Server = httptest.NewServer(l)
	t.Cleanup(l.Close)
	return l
}

// hold makes the requests of an id wait.
func (l *ledger) hold(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held[id] = true
}

// waiting are the ids that wait, with the replicas that sent them.
func (l *ledger) waiting() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.arrived)
}

func (l *ledger) of(id string) entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.entries[id]
}

// ServeHTTP answers /NAME/v1/Interactions/ID and what is below it.
func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	segments := strings.Split(r.URL.Path, "/")
	if len(segments) < 5 {
		http.NotFound(w, r)
		return
	}
	replica, id := segments[1], segments[4]
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	l.mu.Lock()
	e := l.entries[id]
	what := answered
	if l.fate != nil {
		what = l.fate(id, e.seen)
	}
	e.seen++
	if r.Method == http.MethodPost && what != resetBefore && what != refused429 {
		e.applied++
	}
	l.entries[id] = e
	held := l.held[id]
	if held {
		l.arrived[id] = replica
	}
	l.mu.Unlock()
	if held {
		select {
		case <-l.release:
		case <-r.Context().Done():
			return
		}
	}
	if l.think > 0 {
		select {
		case <-time.After(l.think):
		case <-r.Context().Done():
			return
		}
	}
	body := fmt.Sprintf(`{"sid":%q}`, id)
	w.Header().Set("Content-Type", "application/json")
	switch what {
	case answered:
		_, _ = io.WriteString(w, body)
	case failed500, failed503, refused429:
		w.WriteHeader(map[fate]int{failed500: 500, failed503: 503, refused429: 429}[what])
		_, _ = io.WriteString(w, body)
	case stalled:
		<-r.Context().Done()
	case resetBefore, resetAfter, half, garbage:
		l.breakOff(w, what, body)
	}
}

// breakOff ends the connection in a way that no handler can.
func (l *ledger) breakOff(w http.ResponseWriter, what fate, body string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	switch what {
	case half:
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:len(body)/2])
	case garbage:
		_, _ = io.WriteString(conn, "220 smtp.example ESMTP\r\n\r\n")
	default:
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	}
}

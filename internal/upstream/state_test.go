package upstream

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/fault"
	"patchbay/internal/telemetry"
)

// TestStatesAreShared by clients of the same upstream and settings that are open
// at the same time, and by no others.
func TestStatesAreShared(t *testing.T) {
	var states States
	open := func(namespace string, change func(*Options)) *Client {
		opts := Defaults()
		if change != nil {
			change(&opts)
		}
		c, err := NewClient(Endpoint{Namespace: namespace, BaseURL: "http://parcels.example", States: &states}, opts)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first, second := open("a", nil), open("a", func(o *Options) { o.Retry.Attempts = 7 })
	if first.State() != second.State() {
		t.Error("the next client does not go on with the state of the one before")
	}
	for name, other := range map[string]*Client{
		"another namespace": open("b", nil),
		"another breaker":   open("a", func(o *Options) { o.Breaker.Failures = 3 }),
		"another rate":      open("a", func(o *Options) { o.Rate.PerSecond = 3 }),
		"another bound":     open("a", func(o *Options) { o.MaxConcurrent = 3 }),
	} {
		if other.State() == first.State() {
			t.Errorf("%s shares the state", name)
		}
		other.Close()
	}
	old := first.State()
	first.Close()
	first.Close()
	if third := open("a", nil); third.State() != old {
		t.Error("the state was given up while a client was open")
	} else {
		third.Close()
	}
	second.Close()
	last := open("a", nil)
	if last.State() == old {
		t.Error("the state outlived its clients")
	}
	last.Close()
	if len(states.all) != 0 {
		t.Errorf("%d states are kept", len(states.all))
	}
}

// slow answers each request after a second, and tells in which order they came.
func slow(t *testing.T, c *Client) *[]string {
	var order []string
	second := func() {
		timer := time.NewTimer(time.Second) // of the test's own clock
		<-timer.C
	}
	pipe(t, c, func(conn net.Conn) {
		defer conn.Close()
		r := bufio.NewReader(conn)
		for {
			request, _, err := readRequest(r)
			if err != nil {
				return
			}
			order = append(order, request.URL.Path)
			second()
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		}
	})
	return &order
}

// TestQueue: who comes first is served first, and who finds the queue full is
// refused at once.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, Endpoint{BaseURL: "http://parcels.example"}, func(o *Options) { o.MaxConcurrent, o.MaxQueue = 1, 3 })
		order := slow(t, c)
		results := make(chan *fault.Fault, 8)
		for _, path := range []string{"/1", "/2", "/3", "/4"} {
			go func() {
				_, _, f := do(t.Context(), c, &Request{Method: "POST", Path: path})
				results <- f
			}()
			synctest.Wait()
		}
		if st := c.State().Stats(); st.InFlight != 1 || st.Waiting != 3 {
			t.Errorf("%+v", st)
		}
		start := time.Now()
		if _, _, f := do(t.Context(), c, get()); f == nil || f.Kind != fault.Busy || f.Outcome != fault.NotSent || f.RetryAfter <= 0 || time.Since(start) != 0 {
			t.Errorf("%+v after %v, want busy at once", f, time.Since(start))
		}
		for range 4 {
			if f := <-results; f != nil {
				t.Error(f)
			}
		}
		if got := (*order); len(got) != 4 || got[0] != "/1" || got[1] != "/2" || got[2] != "/3" || got[3] != "/4" {
			t.Errorf("served %v", got)
		}
		if st := c.State().Stats(); st.InFlight != 0 || st.Waiting != 0 || st.QueueRefused != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// TestRate: calls wait for their share as long as there is time, and are refused
// at once where there is none.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, Endpoint{BaseURL: "http://parcels.example"}, func(o *Options) {
			o.Rate, o.Total, o.Header = Rate{PerSecond: 0.5, Burst: 2}, 5*time.Second, 5*time.Second
		})
		(&scripted{}).attach(t, c)
		start := time.Now()
		for i, want := range []time.Duration{0, 0, 2 * time.Second, 4 * time.Second} {
			if status, _, f := do(t.Context(), c, get()); status != 200 || time.Since(start) != want {
				t.Fatalf("call %d: %d, %v after %v, want %v", i, status, f, time.Since(start), want)
			}
		}
		// Three at once: shares in 2, 4 and 6 seconds, of which the last is too late.
		results := make(chan *fault.Fault, 3)
		for range 3 {
			go func() {
				_, _, f := do(t.Context(), c, post(`{}`))
				results <- f
			}()
			synctest.Wait()
		}
		if f := <-results; f == nil || f.Kind != fault.Busy || f.Outcome != fault.NotSent || f.RetryAfter != 6*time.Second || time.Since(start) != 4*time.Second {
			t.Errorf("%+v, want busy at once", f)
		}
		for range 2 {
			if f := <-results; f != nil {
				t.Error(f)
			}
		}
		// A caller that leaves gives its share back.
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, _, f := do(ctx, c, get()); f == nil || f.Kind != fault.Canceled || f.Outcome != fault.NotSent {
			t.Errorf("%+v, want canceled", f)
		}
		begin := time.Now()
		if status, _, f := do(t.Context(), c, get()); status != 200 || time.Since(begin) != time.Second {
			t.Errorf("%d, %v after %v", status, f, time.Since(begin))
		}
		if st := c.State().Stats(); st.RateRefused != 1 || st.InFlight != 0 {
			t.Errorf("%+v", st)
		}
	})
}

// TestBreakerIsTold: each change of a breaker is told when it happens, the probe's
// included, and once for all clients that share it, whichever of them made it. An
// open breaker that nobody asks any more is not told for good.
func TestBreakerIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		metrics := telemetry.NewMetrics("test")
		told := func(want ...string) {
			t.Helper()
			w := httptest.NewRecorder()
			metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
			var got []string
			for line := range strings.Lines(w.Body.String()) {
				if text, ok := strings.CutPrefix(line, "patchbay_upstream_breaker_"); ok {
					got = append(got, strings.TrimSpace(strings.NewReplacer("transitions_total", "", `,upstream="parcels"`, "", `{upstream="parcels"}`, "").Replace(text)))
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		var states States
		open := func() *Client {
			c := client(t, Endpoint{BaseURL: "http://parcels.example", States: &states}, func(o *Options) {
				o.Breaker, o.Retry.Attempts = Breaker{Failures: 1, Window: 1, Pause: time.Minute}, 1
				o.Counts = metrics.Upstream(telemetry.UpstreamInfo{Namespace: "parcels"})
			})
			c.transport.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, errDown }
			return c
		}
		first, second := open(), open()
		told("state 0")
		_, _, _ = do(t.Context(), first, get())
		told("state 2", `{state="open"} 1`)
		time.Sleep(time.Minute)
		second.transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
			told("state 1", `{state="half_open"} 1`, `{state="open"} 1`)
			if got := first.State().Stats().Breaker; got != HalfOpen {
				t.Errorf("it is %v", got)
			}
			near, far := net.Pipe()
			go func() {
				defer far.Close()
				if _, _, err := readRequest(bufio.NewReader(far)); err == nil {
					_, _ = io.WriteString(far, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
				}
			}()
			return near, nil
		}
		if status, _, f := do(t.Context(), second, get()); status != http.StatusOK {
			t.Error(status, f)
		}
		told("state 0", `{state="closed"} 1`, `{state="half_open"} 1`, `{state="open"} 1`)
		_, _, _ = do(t.Context(), first, get())
		told("state 2", `{state="closed"} 1`, `{state="half_open"} 1`, `{state="open"} 2`)
		first.Close()
		told("state 2", `{state="closed"} 1`, `{state="half_open"} 1`, `{state="open"} 2`)
		second.Close()
		told("state 0", `{state="closed"} 1`, `{state="half_open"} 1`, `{state="open"} 2`)
	})
}

package upstream

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"patchbay/internal/fault"
)

// TestRepeatable is the table of what may be sent again.
func TestRepeatable(t *testing.T) {
	c := client(t, Endpoint{BaseURL: "http://parcels.example", Unprocessed: []int{429}}, nil)
	plain := client(t, Endpoint{BaseURL: "http://parcels.example"}, nil)
	status := func(code int) attempt { return attempt{answer: &Response{Status: code}} }
	failed := func(k fault.Kind, o fault.Outcome) attempt { return attempt{fault: &fault.Fault{Kind: k, Outcome: o}} }
	lasting := failed(fault.Unreachable, fault.NotSent)
	lasting.fault.Cause = fmt.Errorf("dial: %w", &net.DNSError{IsNotFound: true})
	untrusted := failed(fault.Unreachable, fault.NotSent)
	untrusted.fault.Cause = &tls.CertificateVerificationError{}

	const all = "GET HEAD OPTIONS PUT DELETE POST PATCH"
	for _, test := range []struct {
		name    string
		client  *Client
		attempt attempt
		methods string
	}{
		{"refused", c, failed(fault.Unreachable, fault.NotSent), all},
		{"no connection in time", c, failed(fault.Timeout, fault.NotSent), all},
		{"no such name", c, lasting, ""},
		{"untrusted", c, untrusted, ""},
		{"reset", c, failed(fault.Unreachable, fault.Unknown), "GET HEAD OPTIONS PUT DELETE"},
		{"silent", c, failed(fault.Timeout, fault.Unknown), ""},
		{"half an answer", c, failed(fault.Unreachable, fault.Answered), "GET HEAD OPTIONS"},
		{"too large", c, failed(fault.Limit, fault.Answered), ""},
		{"no HTTP status", c, failed(fault.Decode, fault.Unknown), ""},
		{"caller left", c, failed(fault.Canceled, fault.NotSent), ""},
		{"no turn", c, failed(fault.Busy, fault.NotSent), ""},
		{"breaker", c, failed(fault.Unavailable, fault.NotSent), ""},
		{"429 with a promise", c, status(429), all},
		{"429 without", plain, status(429), "GET HEAD OPTIONS PUT DELETE"},
		{"500", c, status(500), ""},
		{"501", c, status(501), ""},
		{"502", c, status(502), "GET HEAD OPTIONS PUT DELETE"},
		{"503", c, status(503), "GET HEAD OPTIONS PUT DELETE"},
		{"504", c, status(504), "GET HEAD OPTIONS PUT DELETE"},
		{"200", c, status(200), ""},
		{"404", c, status(404), ""},
		{"409", c, status(409), ""},
	} {
		var may []string
		for method := range strings.SplitSeq(all, " ") {
			if _, ok := test.client.repeatable(&Request{Method: method}, test.attempt); ok {
				may = append(may, method)
			}
		}
		if got := strings.Join(may, " "); got != test.methods {
			t.Errorf("%s: %q may be repeated, want %q", test.name, got, test.methods)
		}
	}
	for method, want := range map[string]bool{"PUT": false, "DELETE": false, "GET": true} {
		r := &Request{Method: method, Header: http.Header{"If-Match": {`"7"`}}}
		if _, ok := c.repeatable(r, status(503)); ok != want {
			t.Errorf("a %s with If-Match: %v, want %v", method, ok, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "-1": 0, "+1": 0, "1.5": 0, "soon": 0, "99999999999999999999": 0,
		"Mon, 23 Nov 2026 10:00:05 GMT": 5 * time.Second, "Mon, 23 Nov 2026 09:00:00 GMT": 0,
		"Monday, 23-Nov-26 10:00:09 GMT": 9 * time.Second, "Mon Nov 23 10:01:00 2026": time.Minute,
	} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// TestPause: it doubles, is spread below its whole, and never shorter than asked for.
func TestPause(t *testing.T) {
	o := Retry{Base: 100 * time.Millisecond, Max: time.Second}
	for retry, whole := range map[int]time.Duration{1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 3: 400 * time.Millisecond, 4: 800 * time.Millisecond, 5: time.Second, 60: time.Second, 1000: time.Second} {
		for range 100 {
			if got, ok := o.pause(retry, 0); !ok || got < whole/2 || got > whole {
				t.Fatalf("retry %d: %v, want within %v of %v", retry, got, whole/2, whole)
			}
		}
	}
	for range 100 {
		if got, ok := o.pause(1, time.Second); !ok || got < time.Second || got > time.Second+o.Base {
			t.Fatalf("after a second: %v, %v", got, ok)
		}
	}
	if _, ok := o.pause(1, time.Second+1); ok {
		t.Error("it waits longer than the longest pause")
	}
	if got, ok := (&Retry{}).pause(1, 0); !ok || got != 0 {
		t.Errorf("without a pause: %v, %v", got, ok)
	}
}

// scripted is an upstream that plays one step for each request or connection and
// counts the requests that it read.
type scripted struct {
	mu     sync.Mutex
	steps  []string
	bodies []string
	// times are when the requests came.
	times []time.Time
}

// arrived returns the bodies of the requests so far, and when they came.
func (s *scripted) arrived() (bodies []string, times []time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bodies, s.times
}

// play replaces the steps.
func (s *scripted) play(steps ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = steps
}

func (s *scripted) next() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.steps) == 0 {
		return "200"
	}
	step := s.steps[0]
	s.steps = s.steps[1:]
	return step
}

// attach makes the client talk to the script. The step "refuse" is a connection
// that cannot be made; "cut" closes after the request, "half" within the answer,
// "hang" says nothing; anything else is a status, with a Retry-After behind '/'.
func (s *scripted) attach(t *testing.T, c *Client) {
	pipe(t, c, func(conn net.Conn) {
		defer conn.Close()
		r := bufio.NewReader(conn)
		for {
			_, body, err := readRequest(r)
			if err != nil {
				return
			}
			s.mu.Lock()
			s.bodies, s.times = append(s.bodies, body), append(s.times, time.Now())
			s.mu.Unlock()
			switch step := s.next(); step {
			case "cut":
				return
			case "half":
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
				return
			case "hang":
				_, _ = r.ReadByte()
				return
			default:
				code, after, ok := strings.Cut(step, "/")
				header := ""
				if ok {
					header = "Retry-After: " + after + "\r\n"
				}
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 %s X\r\n%sContent-Length: %d\r\n\r\n%s", code, header, len(code), code)
			}
		}
	})
	dial := c.transport.DialContext
	c.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		s.mu.Lock()
		refuse := len(s.steps) > 0 && s.steps[0] == "refuse"
		if refuse {
			s.steps = s.steps[1:]
		}
		s.mu.Unlock()
		if refuse {
			return nil, errDown
		}
		return dial(ctx, network, address)
	}
}

// TestRetries: what is sent how often, and what the caller is told.
func TestRetries(t *testing.T) {
	for _, test := range []struct {
		script  string // methods and what the upstream does, in turn
		sent    int
		retries int
		want    string // status or kind and outcome
	}{
		{"GET 503 200", 2, 1, "200"},
		{"GET 502 504 200", 3, 2, "200"},
		{"GET 503 503 503 200", 3, 2, "503 doubt"},
		{"GET cut 200", 2, 1, "200"},
		{"GET half 200", 2, 1, "200"},
		{"GET refuse refuse 200", 1, 2, "200"},
		{"GET refuse refuse refuse 200", 0, 2, "upstream-unreachable not_sent"},
		{"GET 500 200", 1, 0, "500"},
		{"GET 404 200", 1, 0, "404"},
		{"GET 429 200", 2, 1, "200"},
		{"GET 503/3 200", 2, 1, "200"},
		{"GET 503/60 200", 1, 0, "503"},
		{"GET hang 200", 1, 0, "upstream-timeout unknown"},
		{"GET 503 hang 200", 2, 1, "upstream-timeout unknown"},

		{"POST 429 200", 2, 1, "200"},
		{"POST 429 429 429 200", 3, 2, "429"},
		{"POST 429/2 200", 2, 1, "200"},
		{"POST 429/30 200", 1, 0, "429"},
		{"POST refuse 200", 1, 1, "200"},
		{"POST refuse refuse refuse", 0, 2, "upstream-unreachable not_sent"},
		{"POST cut 200", 1, 0, "upstream-unreachable unknown"},
		{"POST half 200", 1, 0, "upstream-unreachable answered"},
		{"POST hang 200", 1, 0, "upstream-timeout unknown"},
		{"POST 429 cut 200", 2, 1, "upstream-unreachable unknown"},
		{"POST 500 200", 1, 0, "500"},
		{"POST 502 200", 1, 0, "502"},
		{"POST 503 200", 1, 0, "503"},
		{"POST 503/1 200", 1, 0, "503"},
		{"POST 504 200", 1, 0, "504"},
		{"PATCH cut 200", 1, 0, "upstream-unreachable unknown"},
		{"PATCH 503 200", 1, 0, "503"},
		{"PATCH 429 200", 2, 1, "200"},

		{"PUT cut 200", 2, 1, "200"},
		{"PUT 503 200", 2, 1, "200"},
		{"PUT half 200", 1, 0, "upstream-unreachable answered"},
		{"PUT cut 429 429", 3, 2, "429 doubt"},
		{"PUT cut refuse refuse", 1, 2, "upstream-unreachable unknown"},
		{"DELETE cut 404", 2, 1, "404 doubt"},
		{"DELETE 429 404", 2, 1, "404"},
	} {
		t.Run(test.script, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				words := strings.Fields(test.script)
				c := client(t, Endpoint{BaseURL: "http://parcels.example", Unprocessed: []int{429}}, nil)
				s := &scripted{steps: words[1:]}
				s.attach(t, c)
				r := get()
				if words[0] != http.MethodGet {
					r = post(`{"n":1}`)
				}
				r.Method = words[0]
				got, retries := "", 0
				start := time.Now()
				answer, err := c.Do(t.Context(), r)
				if f := fault.Of(err); f != nil {
					got, retries = f.Kind.String()+" "+f.Outcome.String(), f.Retries
				} else {
					got, retries = fmt.Sprint(answer.Status), answer.Retries
					if string(answer.Body) != got {
						t.Errorf("the body is of another answer: %s", answer.Body)
					}
					if answer.Doubt && answer.Status >= 400 {
						got += " doubt"
					}
					answer.Release()
				}
				bodies, _ := s.arrived()
				if got != test.want || len(bodies) != test.sent || retries != test.retries {
					t.Errorf("%s, sent %d times, %d retries; want %s, %d and %d", got, len(bodies), retries, test.want, test.sent, test.retries)
				}
				for _, body := range bodies {
					if words[0] != http.MethodGet && body != `{"n":1}` {
						t.Errorf("sent the body %q", body)
					}
				}
				if took := time.Since(start); took > time.Minute {
					t.Errorf("it took %v, longer than a call may", took)
				}
				if c.state.Stats().InFlight != 0 {
					t.Error("a place was kept")
				}
			})
		})
	}
}

// TestRetryWaits as long as the upstream asks for, in seconds or up to a date.
func TestRetryWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, Endpoint{BaseURL: "http://parcels.example"}, nil)
		s := &scripted{steps: []string{"503/3", "503/" + time.Now().Add(6*time.Second).UTC().Format(http.TimeFormat)}}
		s.attach(t, c)
		if status, _, f := do(t.Context(), c, get()); status != 200 {
			t.Fatalf("%d, %v", status, f)
		}
		_, times := s.arrived()
		if first := times[1].Sub(times[0]); first < 3*time.Second || first > 3200*time.Millisecond {
			t.Errorf("the first pause took %v", first)
		}
		// A date has whole seconds.
		if whole := times[2].Sub(times[0]); whole < 5*time.Second || whole > 6200*time.Millisecond {
			t.Errorf("both pauses took %v", whole)
		}
	})
}

// TestRetryWithinTime: all attempts share the time of one call, and of its caller.
func TestRetryWithinTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, Endpoint{BaseURL: "http://parcels.example"}, func(o *Options) { o.Total, o.Header = 3*time.Second, 3*time.Second })
		s := &scripted{steps: []string{"503/2", "hang"}}
		s.attach(t, c)
		start := time.Now()
		if _, _, f := do(t.Context(), c, get()); f == nil || f.Kind != fault.Timeout || time.Since(start) != 3*time.Second {
			t.Errorf("%+v after %v, want a timeout after 3s", f, time.Since(start))
		}
		s.play("503/4")
		start = time.Now()
		if status, _, _ := do(t.Context(), c, get()); status != 503 || time.Since(start) != 0 {
			t.Errorf("%d after %v, want the answer at once: there is no time for another", status, time.Since(start))
		}
		s.play("503/2")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		if status, _, _ := do(ctx, c, get()); status != 503 || time.Since(start) != 0 {
			t.Errorf("%d after %v, want the answer at once: the caller has no time for another", status, time.Since(start))
		}
	})
}

// TestRetryCanceled: a caller that leaves in a pause ends it, and what is known of
// the effect is what the attempt before left.
func TestRetryCanceled(t *testing.T) {
	for step, want := range map[string]fault.Outcome{"429/3": fault.Rejected, "refuse": fault.NotSent} {
		synctest.Test(t, func(t *testing.T) {
			c := client(t, Endpoint{BaseURL: "http://parcels.example", Unprocessed: []int{429}}, nil)
			s := &scripted{steps: []string{step, "refuse", "refuse"}}
			s.attach(t, c)
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(20*time.Millisecond, cancel)
			start := time.Now()
			if _, _, f := do(ctx, c, post(`{}`)); f == nil || f.Kind != fault.Canceled || f.Outcome != want || time.Since(start) != 20*time.Millisecond {
				t.Errorf("%s: %+v after %v, want canceled and %v", step, f, time.Since(start), want)
			}
		})
	}
}

// TestRetryBudget: when all calls fail, the upstream gets a fifth more, not a
// multiple.
func TestRetryBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, Endpoint{BaseURL: "http://parcels.example"}, func(o *Options) { o.Breaker.Failures, o.Retry.Base = -1, 0; o.Retry.Max = 0 })
		s := &scripted{}
		for range 1000 {
			s.steps = append(s.steps, "503")
		}
		s.attach(t, c)
		const calls = 200
		for range calls {
			if status, _, f := do(t.Context(), c, get()); status != 503 {
				t.Fatal(status, f)
			}
		}
		bodies, _ := s.arrived()
		if sent := len(bodies); sent > calls+calls/5+10 || sent < calls+calls/5 {
			t.Errorf("%d requests for %d calls", sent, calls)
		}
	})
}

// TestRetryGivesWhatItHas: where another attempt is refused by the breaker, the
// answer to the last one is the answer.
func TestRetryGivesWhatItHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, Endpoint{BaseURL: "http://parcels.example"}, func(o *Options) { o.Breaker = Breaker{Failures: 2, Window: 2, Pause: time.Minute} })
		s := &scripted{steps: []string{"503", "503", "503"}}
		s.attach(t, c)
		answer, err := c.Do(t.Context(), get())
		if err != nil || answer.Status != 503 || answer.Retries != 1 || string(answer.Body) != "503" {
			t.Fatalf("%+v, %v", answer, err)
		}
		answer.Release()
		if _, _, f := do(t.Context(), c, get()); f == nil || f.Kind != fault.Unavailable || f.Outcome != fault.NotSent || f.RetryAfter <= 0 || f.RetryAfter > time.Minute {
			t.Errorf("%+v, want the breaker", f)
		}
		time.Sleep(time.Minute)
		if status, _, f := do(t.Context(), c, get()); status != 503 { // the probe
			t.Errorf("%d, %v", status, f)
		}
		time.Sleep(time.Minute)
		for range 3 {
			if status, _, f := do(t.Context(), c, get()); status != 200 {
				t.Errorf("%d, %v: the breaker did not close", status, f)
			}
		}
		if st := c.state.Stats(); st.Breaker != Closed || st.Opened != 2 || st.Retries != 1 || st.BreakerRefused == 0 {
			t.Errorf("%+v", st)
		}
	})
}

// TestHealth: what opens the breaker, and what does not.
func TestHealth(t *testing.T) {
	for script, opens := range map[string]bool{
		"500": true, "502": true, "503": true, "504": true, "cut": true, "half": true, "hang": true, "refuse": true,
		"400": false, "401": false, "404": false, "409": false, "429": false, "501": false, "200": false,
	} {
		t.Run(script, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := client(t, Endpoint{BaseURL: "http://parcels.example"}, func(o *Options) {
					o.Retry.Attempts, o.Breaker = 1, Breaker{Failures: 2, Window: 2, Pause: time.Hour}
				})
				s := &scripted{steps: []string{script, script}}
				s.attach(t, c)
				for range 2 {
					_, _, _ = do(t.Context(), c, post(`{}`))
				}
				if got := c.state.Stats().Breaker == Open; got != opens {
					t.Errorf("open is %v, want %v", got, opens)
				}
			})
		})
	}
	t.Run("callers that leave", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := client(t, Endpoint{BaseURL: "http://parcels.example"}, func(o *Options) { o.Breaker = Breaker{Failures: 1, Window: 1, Pause: time.Hour} })
			s := &scripted{steps: []string{"hang", "hang"}}
			s.attach(t, c)
			for range 2 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				_, _, _ = do(ctx, c, get())
				cancel()
			}
			if c.state.Stats().Breaker != Closed {
				t.Error("the breaker opened")
			}
		})
	})
}

// TestProxy: the operator's proxy is asked in place of the upstream.
func TestProxy(t *testing.T) {
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := (&http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}).BasicAuth()
		_, _ = fmt.Fprintf(w, "%s for %s:%s", r.URL, user, password)
	})
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, Endpoint{BaseURL: "http://parcels.example/v1"}, func(o *Options) { o.Proxy = "http://u:p@" + address.Host })
	if _, body, f := do(t.Context(), c, &Request{Method: "GET", Path: "/v1/x"}); body != "http://parcels.example/v1/x for u:p" {
		t.Errorf("%q, %v", body, f)
	}
	for _, bad := range []string{"ftp://u:s3cret@host", "s3cret", "http://", ":s3cret"} {
		if _, err := NewClient(Endpoint{Namespace: "parcels", BaseURL: "http://parcels.example"}, Options{Proxy: bad}); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

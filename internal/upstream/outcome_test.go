package upstream

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"patchbay/internal/fault"
)

// TestOutcomes: what is known of a request's effect depends on how far the
// exchange got.
func TestOutcomes(t *testing.T) {
	for _, test := range []struct {
		name string
		// serve is the upstream of one connection.
		serve   func(conn net.Conn)
		kind    fault.Kind
		outcome fault.Outcome
		status  int
	}{
		{"cut before the request is read", func(conn net.Conn) {
			_ = conn.Close()
		}, fault.Unreachable, fault.Unknown, 0},
		{"cut within the request", func(conn net.Conn) {
			_, _ = io.ReadFull(conn, make([]byte, 20))
			_ = conn.Close()
		}, fault.Unreachable, fault.Unknown, 0},
		{"cut after the request", after(""), fault.Unreachable, fault.Unknown, 0},
		{"cut within the header", after("HTTP/1.1 200 OK\r\nContent-Le"), fault.Unreachable, fault.Unknown, 0},
		{"cut within the body", after("HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n{"), fault.Unreachable, fault.Unknown, 201},
		{"cut within a chunk", after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"), fault.Unreachable, fault.Unknown, 200},
		{"no HTTP", after("220 ready\r\n\r\n"), fault.Unreachable, fault.Unknown, 0},
		{"no header in time", hold(""), fault.Timeout, fault.Unknown, 0},
		{"no body in time", hold("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), fault.Timeout, fault.Unknown, 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := client(t, Endpoint{BaseURL: "http://parcels.example"}, nil)
				pipe(t, c, test.serve)
				_, _, f := do(t.Context(), c, post(`{}`))
				if f == nil || f.Kind != test.kind || f.Outcome != test.outcome || f.UpstreamStatus != test.status {
					t.Errorf("got %+v, want %v with outcome %v and status %d", f, test.kind, test.outcome, test.status)
				}
			})
		})
	}
}

// after answers the first request with text and cuts the connection.
func after(text string) func(net.Conn) {
	return func(conn net.Conn) {
		if _, _, err := readRequest(bufio.NewReader(conn)); err == nil {
			_, _ = io.WriteString(conn, text)
		}
		_ = conn.Close()
	}
}

// hold answers the first request with text and then says no more.
func hold(text string) func(net.Conn) {
	return func(conn net.Conn) {
		r := bufio.NewReader(conn)
		if _, _, err := readRequest(r); err == nil {
			_, _ = io.WriteString(conn, text)
		}
		_, _ = r.ReadByte() // until the client gives up
		_ = conn.Close()
	}
}

// TestNothingSent: as long as there is no connection, nothing can have been
// processed.
func TestNothingSent(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	stranger := httptest.NewUnstartedServer(http.NotFoundHandler())
	stranger.Config.ErrorLog = log.New(io.Discard, "", 0)
	stranger.StartTLS()
	defer stranger.Close()

	refused := client(t, Endpoint{BaseURL: "http://" + closed.Addr().String()}, nil)
	unreachable := client(t, Endpoint{BaseURL: "http://parcels.example"}, nil)
	unreachable.transport.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, errDown }
	for name, c := range map[string]*Client{
		"refused":                     refused,
		"no route":                    unreachable,
		"a certificate of a stranger": client(t, Endpoint{BaseURL: stranger.URL}, nil),
	} {
		if _, _, f := do(t.Context(), c, post(`{}`)); f == nil || f.Kind != fault.Unreachable || f.Outcome != fault.NotSent {
			t.Errorf("%s: got %+v, want unreachable and not sent", name, f)
		}
	}
}

// TestTimes: which of the bounds ends a call, and after how long.
func TestTimes(t *testing.T) {
	opts := func(o *Options) { o.Header, o.Total = 3*time.Second, 10*time.Second }
	for _, test := range []struct {
		name  string
		serve func(net.Conn)
		want  time.Duration
	}{
		{"waiting for the header", hold(""), 3 * time.Second},
		{"waiting for the rest of the body", hold("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), 10 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := client(t, Endpoint{BaseURL: "http://parcels.example"}, opts)
				pipe(t, c, test.serve)
				start := time.Now()
				_, _, f := do(t.Context(), c, get())
				if f == nil || f.Kind != fault.Timeout || time.Since(start) != test.want {
					t.Errorf("%+v after %v, want a timeout after %v", f, time.Since(start), test.want)
				}
			})
		})
	}
	t.Run("a body that drips", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := client(t, Endpoint{BaseURL: "http://parcels.example"}, opts)
			pipe(t, c, func(conn net.Conn) {
				defer conn.Close()
				if _, _, err := readRequest(bufio.NewReader(conn)); err != nil {
					return
				}
				_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
				for err == nil {
					time.Sleep(time.Second)
					_, err = io.WriteString(conn, "x")
				}
			})
			start := time.Now()
			_, _, f := do(t.Context(), c, post(`{}`))
			if f == nil || f.Kind != fault.Timeout || f.Outcome != fault.Unknown || time.Since(start) != 10*time.Second {
				t.Errorf("%+v after %v, want a timeout after 10s", f, time.Since(start))
			}
		})
	})
	t.Run("dialing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := client(t, Endpoint{BaseURL: "http://parcels.example"}, opts)
			c.transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			if _, _, f := do(t.Context(), c, get()); f == nil || f.Kind != fault.Timeout || f.Outcome != fault.NotSent {
				t.Errorf("%+v, want a timeout with nothing sent", f)
			}
		})
	})
}

// TestCanceled: a caller that goes away ends its call, at every stage.
func TestCanceled(t *testing.T) {
	for _, test := range []struct {
		name    string
		serve   func(net.Conn)
		outcome fault.Outcome
	}{
		{"while the upstream is silent", hold(""), fault.Unknown},
		{"within the body", hold("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), fault.Unknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := client(t, Endpoint{BaseURL: "http://parcels.example"}, nil)
				pipe(t, c, test.serve)
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				if _, _, f := do(ctx, c, post(`{}`)); f == nil || f.Kind != fault.Canceled || f.Outcome != test.outcome {
					t.Errorf("%+v, want canceled and %v", f, test.outcome)
				}
			})
		})
	}
	t.Run("within a long header", func(t *testing.T) {
		c := client(t, Endpoint{BaseURL: "http://parcels.example"}, nil)
		ctx, cancel := context.WithCancel(t.Context())
		pipe(t, c, func(conn net.Conn) {
			_, _ = io.ReadFull(conn, make([]byte, 4<<10))
			cancel()
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		})
		r := post(`{}`)
		r.Header = http.Header{"X-Note": {strings.Repeat("x", 32<<10)}}
		if _, _, f := do(ctx, c, r); f == nil || f.Kind != fault.Canceled || f.Outcome != fault.Unknown {
			t.Errorf("%+v, want canceled and unknown: a part of it has left", f)
		}
	})
	t.Run("before the call", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		c := client(t, Endpoint{BaseURL: "http://parcels.example"}, nil)
		c.transport.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, errDown }
		if _, _, f := do(ctx, c, post(`{}`)); f == nil || f.Kind != fault.Canceled || f.Outcome != fault.NotSent {
			t.Errorf("%+v, want canceled and nothing sent", f)
		}
	})
	t.Run("by a deadline of its own", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := client(t, Endpoint{BaseURL: "http://parcels.example"}, nil)
			pipe(t, c, hold(""))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, _, f := do(ctx, c, post(`{}`)); f == nil || f.Kind != fault.Timeout || f.Outcome != fault.Unknown {
				t.Errorf("%+v, want a timeout", f)
			}
		})
	})
}

// TestConcurrency: calls above the bound wait; one that waits too long was not
// sent, and one whose caller leaves is over.
func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var most, now atomic.Int32
		release := make(chan struct{})
		c := client(t, Endpoint{BaseURL: "http://parcels.example"}, func(o *Options) { o.MaxConcurrent, o.Total, o.Header = 2, time.Minute, time.Hour })
		pipe(t, c, func(conn net.Conn) {
			r := bufio.NewReader(conn)
			for {
				if _, _, err := readRequest(r); err != nil {
					break
				}
				most.Store(max(most.Load(), now.Add(1)))
				<-release
				now.Add(-1)
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
			}
			_ = conn.Close()
		})
		results := make(chan *fault.Fault, 8)
		call := func(ctx context.Context) {
			go func() {
				_, _, f := do(ctx, c, get())
				results <- f
			}()
			synctest.Wait()
		}
		call(t.Context())
		call(t.Context())

		leaving, leave := context.WithCancel(t.Context())
		call(leaving)
		leave()
		if f := <-results; f == nil || f.Kind != fault.Canceled || f.Outcome != fault.NotSent {
			t.Errorf("a caller that left while waiting got %+v", f)
		}

		hurried, done := context.WithTimeout(t.Context(), time.Second)
		defer done()
		call(hurried)
		if f := <-results; f == nil || f.Kind != fault.Busy || f.Outcome != fault.NotSent {
			t.Errorf("a call that waited too long got %+v", f)
		}

		call(t.Context())
		close(release)
		for range 3 {
			if f := <-results; f != nil {
				t.Errorf("a call with a place failed: %v", f)
			}
		}
		if most.Load() != 2 {
			t.Errorf("%d calls at once, want 2", most.Load())
		}
	})
}

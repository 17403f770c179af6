package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"syscall"
	"testing"
	"time"
)

// replica is a process behind a balancer.
type replica struct {
	*process
	name      string
	transport *http.Transport
	// handed counts the requests that it got.
	handed int
	ready  bool
}

// balancer hands requests to replicas in turn. It tries the next one when a
// connection is refused, and never else: then nothing was sent. It is the plain one
// that everybody has, written down.
type balancer struct {
	t         *testing.T
	keepAlive bool
	rest, mcp *httptest.Server

	mu       sync.Mutex
	replicas []*replica
	next     int
	refused  int
	// failed are the failures by the replica at which they happened; "" is none.
	failed map[string][]error
}

func newBalancer(t *testing.T, keepAlive bool) *balancer {
	b := &balancer{t: t, keepAlive: keepAlive, failed: map[string][]error{}}
	b.rest = b.front(func(r *replica) string { return r.process.rest })
	b.mcp = b.front(func(r *replica) string { return r.process.mcp })
	return b
}

// front is one of the balancer's own listeners.
func (b *balancer) front(base func(*replica) string) *httptest.Server {
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.Out.Host = "" },
		Transport: turns{b, base},
	}
	s := httptest.NewServer(proxy)
	b.t.Cleanup(s.Close)
	return s
}

// add takes a replica in; requests go to it at once.
func (b *balancer) add(name string, p *process) *replica {
	r := &replica{process: p, name: name, ready: true, transport: &http.Transport{DisableKeepAlives: !b.keepAlive, MaxIdleConnsPerHost: 64}}
	b.t.Cleanup(r.transport.CloseIdleConnections)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.replicas = append(b.replicas, r)
	return r
}

// check asks replicas until the end of the test whether they want requests, as
// balancers with active checks do, and lets go of those that have left.
func (b *balancer) check() {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	b.t.Cleanup(func() {
		stop()
		running.Wait()
	})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	running.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			b.mu.Lock()
			all := append([]*replica{}, b.replicas...)
			b.mu.Unlock()
			for _, r := range all {
				request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.control+"/health/ready", nil)
				if err != nil {
					b.t.Error(err)
					return
				}
				res, err := client.Do(request)
				if err == nil {
					res.Body.Close()
				}
				b.mu.Lock()
				r.ready = err == nil && res.StatusCode == http.StatusOK
				b.mu.Unlock()
			}
		}
	})
}

// turn returns the replicas that are ready, the one whose turn it is first.
func (b *balancer) turn() []*replica {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next++
	var out []*replica
	for i := range b.replicas {
		if r := b.replicas[(b.next+i)%len(b.replicas)]; r.ready {
			out = append(out, r)
		}
	}
	return out
}

// counts returns what happened, for reading: requests by replica, failures of all.
func (b *balancer) counts() (handed map[string]int, refused int, failed map[string][]error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	handed, failed = map[string]int{}, map[string][]error{}
	for _, r := range b.replicas {
		handed[r.name] = r.handed
	}
	for name, errs := range b.failed {
		failed[name] = append([]error{}, errs...)
	}
	return handed, b.refused, failed
}

// turns is how a front reaches replicas.
type turns struct {
	*balancer
	base func(*replica) string
}

// RoundTrip hands a request to one replica.
func (b turns) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	for _, to := range b.turn() {
		res, err := b.try(r, to, body)
		b.mu.Lock()
		switch {
		case err == nil:
			to.handed++
			b.mu.Unlock()
			return res, nil
		case errors.Is(err, syscall.ECONNREFUSED):
			b.refused++
			b.mu.Unlock()
			continue
		}
		to.handed++
		b.failed[to.name] = append(b.failed[to.name], err)
		b.mu.Unlock()
		return failure(r, http.StatusBadGateway, fmt.Sprintf("%s: %v", to.name, err)), nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed[""] = append(b.failed[""], errors.New("no replica took it"))
	return failure(r, http.StatusServiceUnavailable, "no replica took it"), nil
}

// try sends a request once, and returns the whole answer.
func (b turns) try(r *http.Request, to *replica, body []byte) (*http.Response, error) {
	base, err := url.Parse(b.base(to))
	if err != nil {
		return nil, err
	}
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host = base.Scheme, base.Host
	// A body that cannot be had again keeps net/http from sending anything twice,
	// which it does with a GET on a connection that turns out to be dead.
	out.Body, out.GetBody, out.ContentLength = io.NopCloser(bytes.NewReader(body)), nil, int64(len(body))
	res, err := to.transport.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	whole, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(whole))
	return res, nil
}

// failure is what a client sees of one.
func failure(r *http.Request, status int, text string) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: int64(len(text)),
		Header: http.Header{"Balancer-Failed": {text}, "Content-Type": {"text/plain"}}, Body: io.NopCloser(bytes.NewReader([]byte(text))),
	}
}

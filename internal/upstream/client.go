// Package upstream performs one consumed HTTP operation: build the request,
// sign it, send it, bound and read the answer. It stands below the plan, knows
// nothing of documents or adapters, and is where every network fault gets its
// kind and its outcome.
package upstream

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"patchbay/internal/auth"
	"patchbay/internal/fault"
	"patchbay/internal/secret"
	"patchbay/internal/telemetry"
)

// Options are the bounds of the exchange with one upstream. [Defaults] has
// working values; a zero field is not a default.
type Options struct {
	// Connect bounds dialing and the TLS handshake, each; Header the time from
	// the call's turn until the answer's header is there, connecting included;
	// Total the whole call, from waiting for its turn to the end of the body.
	Connect, Header, Total time.Duration
	// MaxBody bounds the answer's body after decompression, in bytes.
	MaxBody int64
	// MaxConcurrent bounds calls under way at once, MaxQueue those that wait for
	// their turn: the next one is refused.
	MaxConcurrent, MaxQueue int
	Retry                   Retry
	Breaker                 Breaker
	Rate                    Rate
	// Proxy is the address of a proxy, "" the environment's choice, and "none" none.
	Proxy string
	// TLS is how the upstream is met over TLS; nil is the system's way.
	TLS *tls.Config
	// UserAgent is sent with every request.
	UserAgent string
	// Pool holds the connections, where clients share them; its own bounds of
	// connecting count then. Nil gives the client a pool of its own.
	Pool *Pool
	// NoTrace keeps the context of a caller's trace from the upstream, NoBaggage
	// its baggage only.
	NoTrace, NoBaggage bool
	// Counts counts what concerns the upstream as a whole; nil does not.
	Counts *telemetry.Upstream
}

// Defaults returns the bounds that apply where the operator says nothing.
func Defaults() Options {
	return Options{
		Connect: 5 * time.Second, Header: 30 * time.Second, Total: 60 * time.Second, MaxBody: 10 << 20, MaxConcurrent: 256, MaxQueue: 1024,
		Retry:   Retry{Attempts: 3, Base: 200 * time.Millisecond, Max: 5 * time.Second},
		Breaker: Breaker{Failures: 10, Window: 20, Pause: 5 * time.Second}, UserAgent: "patchbay",
	}
}

// Client talks to one consumed API. It is safe for concurrent use; it keeps
// connections alive between calls. All that changes about it is its [State].
type Client struct {
	namespace string
	base      url.URL
	prefix    string
	signer    auth.Signer
	opts      Options
	agent     []string
	pool      *Pool
	transport *http.Transport
	// blank is what all requests have in common.
	blank http.Request
	// unprocessed are the statuses that promise that nothing was processed.
	unprocessed []int
	states      *States
	state       *State
	closed      sync.Once
	// missing names what an operator has to provide before calls can be made.
	missing *fault.Fault
	// mask knows the credentials that calls are signed with.
	mask secret.Mask
}

// Endpoint says where a client sends its requests and as whom.
type Endpoint struct {
	Namespace string
	// BaseURL is an absolute http or https address; its path precedes every
	// operation's path. Empty only where Missing is set.
	BaseURL string
	Signer  auth.Signer
	// Secrets are what the signer adds, as it came. Nothing that the upstream
	// repeats of them leaves the client in an error.
	Secrets []secret.Value
	// Unprocessed are the statuses with which the provider promises that a
	// request had no effect, whatever its method.
	Unprocessed []int
	// States, if set, has the state of this upstream.
	States *States
	// Missing, if set, is returned for every call: a credential or an address
	// that the operator has not given.
	Missing *fault.Fault
}

// NewClient returns a client.
func NewClient(end Endpoint, opts Options) (*Client, error) {
	c := &Client{
		namespace: end.Namespace, signer: end.Signer, opts: opts, missing: end.Missing,
		blank: http.Request{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1},
		agent: []string{opts.UserAgent}, unprocessed: end.Unprocessed, states: end.States,
	}
	c.mask.Add(end.Secrets...)
	c.mask.Add(end.Signer.Secrets()...)
	if end.BaseURL != "" {
		u, err := ParseBase(end.BaseURL)
		if err != nil {
			return nil, err
		}
		c.base, c.prefix = *u, u.EscapedPath()
	} else if end.Missing == nil {
		return nil, fmt.Errorf("%s has no base address", end.Namespace)
	}
	if c.pool = opts.Pool; c.pool == nil {
		pool, err := NewPool(opts)
		if err != nil {
			return nil, err
		}
		c.pool = pool
	}
	c.transport = c.pool.transport
	c.state = end.States.take(stateKey{
		namespace: end.Namespace, base: end.BaseURL, maxConcurrent: opts.MaxConcurrent, maxQueue: opts.MaxQueue, breaker: opts.Breaker, rate: opts.Rate,
	}, opts.Counts)
	return c, nil
}

// proxyOf returns how a transport finds its proxy. Messages keep the proxy's
// credentials.
func proxyOf(address string) (func(*http.Request) (*url.URL, error), error) {
	switch address {
	case "":
		return http.ProxyFromEnvironment, nil
	case "none":
		return nil, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" && u.Scheme != "socks5h" {
		return nil, errors.New("the proxy's address is not http://, https:// or socks5://HOST:PORT")
	}
	return http.ProxyURL(u), nil
}

// ParseBase checks a base address: absolute, http or https, without user
// information, query and fragment.
func ParseBase(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%q is not an address", address)
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q is not an http or https address", u.Redacted())
	case u.Host == "":
		return nil, fmt.Errorf("%q has no host", u.Redacted())
	case u.User != nil:
		return nil, fmt.Errorf("%q carries credentials; name them in the capability instead", u.Redacted())
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%q has a query or fragment", u.Redacted())
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = strings.TrimRight(u.RawPath, "/")
	return u, nil
}

// IsLoopback reports whether a host name or address without port can only be
// this machine. Names other than localhost are never taken for it, whatever
// they resolve to or begin with.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// Namespace returns the name under which the capability consumes the API.
func (c *Client) Namespace() string { return c.namespace }

// Host returns host[:port] of the upstream, or "".
func (c *Client) Host() string { return c.base.Host }

// BaseURL returns the address calls go to, or "".
func (c *Client) BaseURL() string {
	if c.base.Host == "" {
		return ""
	}
	return c.base.String()
}

// Prefix returns the escaped path of the base address, without a slash at its
// end; every request's path begins with it.
func (c *Client) Prefix() string { return c.prefix }

// Missing returns why no call can be made, or nil.
func (c *Client) Missing() *fault.Fault { return c.missing }

// State returns what is known about the upstream.
func (c *Client) State() *State { return c.state }

// Close gives up idle connections, also those of clients that share the pool,
// and the client's share in its state. Calls under way are not touched.
func (c *Client) Close() {
	c.pool.Close()
	c.closed.Do(func() { c.states.release(c.state) })
}

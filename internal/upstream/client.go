// Package upstream performs one consumed HTTP operation: build the request,
// sign it, send it, bound and read the answer. It stands below the plan, knows
// nothing of documents or adapters, and is where every network fault gets its
// kind and its outcome.
package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
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
	// MaxConcurrent bounds calls under way at once.
	MaxConcurrent int
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
	return Options{Connect: 5 * time.Second, Header: 30 * time.Second, Total: 60 * time.Second, MaxBody: 10 << 20, MaxConcurrent: 256, UserAgent: "patchbay"}
}

// Client talks to one consumed API. It is immutable after [NewClient] and
// safe for concurrent use; it keeps connections alive between calls.
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
	slots chan struct{}
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
	// Missing, if set, is returned for every call: a credential or an address
	// that the operator has not given.
	Missing *fault.Fault
}

// NewClient returns a client.
func NewClient(end Endpoint, opts Options) (*Client, error) {
	c := &Client{
		namespace: end.Namespace, signer: end.Signer, opts: opts, missing: end.Missing,
		blank: http.Request{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1},
		agent: []string{opts.UserAgent}, slots: make(chan struct{}, max(1, opts.MaxConcurrent)),
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
		c.pool = NewPool(opts)
	}
	c.transport = c.pool.transport
	return c, nil
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

// Counts returns where calls are counted; nil counts none.
func (c *Client) Counts() *telemetry.Upstream { return c.opts.Counts }

// Close gives up idle connections, also those of clients that share the pool.
// Calls under way are not touched.
func (c *Client) Close() { c.pool.Close() }

// enter waits for a place among the concurrent calls.
func (c *Client) enter(caller, ctx context.Context) *fault.Fault {
	select {
	case c.slots <- struct{}{}:
		return nil
	default:
	}
	c.opts.Counts.Queued(1)
	defer c.opts.Counts.Queued(-1)
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		if errors.Is(caller.Err(), context.Canceled) {
			return &fault.Fault{Kind: fault.Canceled, Outcome: fault.NotSent, Message: "the caller went away before its call had its turn", Cause: context.Cause(ctx)}
		}
		c.opts.Counts.Rejected(telemetry.ByConcurrency)
		return &fault.Fault{
			Kind: fault.Busy, Outcome: fault.NotSent,
			Message: fmt.Sprintf("all %d concurrent calls to %s were taken", cap(c.slots), c.namespace), Cause: context.Cause(ctx),
		}
	}
}

func (c *Client) leave() { <-c.slots }

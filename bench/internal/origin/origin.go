// Package origin is the upstream call as the peers in Go make it: with
// credentials put in, over connections that are kept. All of them share it, so
// that they differ in what stands above it only.
package origin

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// A Client calls one upstream. It is safe for concurrent use.
type Client struct {
	base          string
	authorization string
	transport     *http.Transport
}

// New returns a client of the upstream at a base address, such as
// http://127.0.0.1:8000/v1, with basic authentication.
func New(base, user, password string) *Client {
	req := http.Request{Header: http.Header{}}
	req.SetBasicAuth(user, password)
	return &Client{
		base:          strings.TrimSuffix(base, "/"),
		authorization: req.Header.Get("Authorization"),
		transport:     Transport(),
	}
}

// Transport returns the transport of all peers in Go: no proxy, no compression,
// as many kept connections as there can be callers.
func Transport() *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 256,
		DisableCompression:  true,
	}
}

// Authorization is the header value that the upstream wants.
func (c *Client) Authorization() string { return c.authorization }

// Do calls a path below the base. The caller closes the answer's body. A body is
// a form.
func (c *Client) Do(ctx context.Context, method, path string, form io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, form)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", c.authorization)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return c.transport.RoundTrip(req)
}

// Interaction fetches an interaction and returns the answer's body.
func (c *Client) Interaction(ctx context.Context, sid string) ([]byte, error) {
	res, err := c.Do(ctx, http.MethodGet, "/Interactions/"+sid, nil)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("the upstream answered %s: %s", res.Status, body)
	}
	return body, err
}

// Flags are how the peers are started.
type Flags struct {
	// Listen is where a peer listens, HOST:PORT; on standard input and output
	// if it is empty.
	Listen   string
	Upstream string // base address
	Mode     string // whatever a peer has several of
}

// Parse reads the flags of the command line. The credentials are in the
// environment, as they are for the product.
func Parse() (Flags, *Client) {
	var f Flags
	flag.StringVar(&f.Listen, "listen", "", "`HOST:PORT`; standard input and output without it")
	flag.StringVar(&f.Upstream, "upstream", "", "base `URL` of the upstream")
	flag.StringVar(&f.Mode, "mode", "", "variant of the peer")
	flag.Parse()
	return f, New(f.Upstream, os.Getenv("TWILIO_USER"), os.Getenv("TWILIO_PASS"))
}

// Serve serves until the process is ended.
func (f Flags) Serve(handler http.Handler) {
	Exit(http.ListenAndServe(f.Listen, handler))
}

// Exit ends the process with an error, if there is one.
func Exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

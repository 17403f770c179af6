package upstream

import (
	"bytes"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// Pool is what clients have in common: connections that are kept alive between
// calls, and buffers. A file is often one of many that call the same host; each
// of them would open connections of its own. What a request carries is its
// client's alone, and so is the bound of calls at once. A pool is safe for
// concurrent use.
type Pool struct {
	transport *http.Transport
	buffers   sync.Pool
	unzippers sync.Pool // of *gzip.Reader
}

// idleHosts is for how many hosts a pool keeps as many idle connections as one
// client may use at once: more than that are closed, the oldest first.
const idleHosts = 4

// NewPool returns a pool for clients with the given bounds, proxy and TLS
// settings. The error is for a proxy that is no address.
func NewPool(opts Options) (*Pool, error) {
	proxy, err := proxyOf(opts.Proxy)
	if err != nil {
		return nil, err
	}
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if opts.TLS != nil {
		settings = opts.TLS.Clone() // the transport adds to it
	}
	dialer := &net.Dialer{Timeout: opts.Connect, KeepAlive: 30 * time.Second}
	return &Pool{
		transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    opts.Connect,
			TLSClientConfig:        settings,
			MaxIdleConns:           idleHosts * opts.MaxConcurrent,
			MaxIdleConnsPerHost:    opts.MaxConcurrent,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			ForceAttemptHTTP2:      true,
			DisableCompression:     true, // it is asked for and undone here; see gzip.go
			Proxy:                  proxy,
		},
		buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }},
	}, nil
}

// Close gives up idle connections. Calls under way are not touched.
func (p *Pool) Close() { p.transport.CloseIdleConnections() }

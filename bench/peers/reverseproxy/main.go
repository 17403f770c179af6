// Reverseproxy is the standard library's own proxy with credentials put in and
// its buffers pooled. Bodies stay as they are.
package main

import (
	"net/http/httputil"
	"net/url"
	"sync"

	"patchbay-bench/internal/origin"
)

func main() {
	flags, upstream := origin.Parse()
	target, err := url.Parse(flags.Upstream)
	origin.Exit(err)
	target.Path = "" // callers' paths begin with the upstream's
	pool := &buffers{}
	pool.New = func() any { return new([32 << 10]byte) }
	flags.Serve(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Set("Authorization", upstream.Authorization())
		},
		Transport:  origin.Transport(),
		BufferPool: pool,
	})
}

// buffers is a pool of arrays, so that neither way allocates.
type buffers struct{ sync.Pool }

func (b *buffers) Get() []byte { return b.Pool.Get().(*[32 << 10]byte)[:] }

func (b *buffers) Put(buffer []byte) { b.Pool.Put((*[32 << 10]byte)(buffer)) }

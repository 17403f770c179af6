// Package guard stands before every listener: it refuses requests that a web
// page made somebody's browser send. A foreign Host means DNS rebinding, a
// foreign Origin means a cross-site call; neither may spend the credentials
// that the process holds. Requests without these browser marks pass.
package guard

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"patchbay/internal/fault"
)

// Options says whom to let in.
type Options struct {
	// Hosts are additional names under which the listener is known, without
	// port. Where Loopback is false and Hosts is empty, every Host passes: the
	// names of a public listener cannot be guessed.
	Hosts []string
	// Loopback reports that the listener is bound to the loopback interface
	// and therefore knows its own names.
	Loopback bool
	// Origins are the origins (scheme://host[:port]) of web pages that may call.
	Origins []string
	// Landing are the paths, and what is below them, that links on other sites
	// may lead to. Everywhere else a browser that comes from another site is
	// refused, also with a safe method: a capability may do anything in a GET.
	Landing []string
	// Public are paths, and what is below them, that pages of any origin may read:
	// they say the same to everybody.
	Public []string
	// MaxAge is how long browsers may remember what a preflight said; 0 is ten
	// minutes.
	MaxAge time.Duration
	// Refuse writes the answer to a refused request, in the listener's own form.
	Refuse func(http.ResponseWriter, *http.Request, *fault.Fault)
	// Preflight, if set, is called with the status of each preflight before it is
	// answered.
	Preflight func(w http.ResponseWriter, r *http.Request, status int)
}

// Guard is immutable and safe for concurrent use.
type Guard struct {
	hosts    map[string]bool
	origins  map[string]bool
	crossing *http.CrossOriginProtection
	landing  []string
	public   []string
	maxAge   string
	refuse   func(http.ResponseWriter, *http.Request, *fault.Fault)
	asked    func(http.ResponseWriter, *http.Request, int)
}

// New checks the options. Origins must be bare: scheme, host and port only.
func New(opts Options) (*Guard, error) {
	g := &Guard{origins: map[string]bool{}, crossing: http.NewCrossOriginProtection(), landing: opts.Landing, public: opts.Public, refuse: opts.Refuse, asked: opts.Preflight}
	g.maxAge = strconv.Itoa(int(cmp.Or(opts.MaxAge, 10*time.Minute).Seconds()))
	if opts.Loopback || len(opts.Hosts) > 0 {
		g.hosts = map[string]bool{}
	}
	if g.hosts != nil {
		for _, own := range []string{"localhost", "127.0.0.1", "::1"} {
			g.hosts[own] = true
		}
	}
	for _, host := range opts.Hosts {
		if host == "" || strings.ContainsAny(host, "/ ") {
			return nil, fmt.Errorf("%q is not a host name", host)
		}
		g.hosts[hostname(host)] = true
	}
	for _, origin := range opts.Origins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" {
			return nil, fmt.Errorf("%q is not an origin such as https://example.org", origin)
		}
		g.origins[strings.ToLower(origin)] = true
		if err := g.crossing.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("%q is not an origin: %w", origin, err)
		}
	}
	return g, nil
}

// Wrap puts the guard before a handler, and answers CORS preflights
// (Fetch standard, section 3.2) for the allowed origins.
func (g *Guard) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := g.check(r); f != nil {
			g.refuse(w, r, f)
			return
		}
		h := w.Header()
		origin := r.Header.Get("Origin")
		switch {
		case g.isPublic(r.URL.Path):
			h.Set("Access-Control-Allow-Origin", "*")
		case len(g.origins) > 0:
			// Also where no origin is named: what a cache keeps is not for all.
			h.Add("Vary", "Origin")
			if origin != "" && g.origins[strings.ToLower(origin)] {
				// Exactly the origin, and nothing about credentials that a browser
				// adds by itself: cookies open no adapter for a page.
				h.Set("Access-Control-Allow-Origin", origin)
				h.Set("Access-Control-Expose-Headers", "*")
				break
			}
			fallthrough
		default:
			origin = ""
		}
		if origin != "" && r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			g.preflight(h, r)
			if g.asked != nil {
				g.asked(w, r, http.StatusNoContent)
			}
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// preflight says that the request that follows may be made, whatever method and
// headers it has: what it may do is the adapter's affair.
func (g *Guard) preflight(h http.Header, r *http.Request) {
	h.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
	h.Set("Access-Control-Allow-Methods", r.Header.Get("Access-Control-Request-Method"))
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
	h.Set("Access-Control-Max-Age", g.maxAge)
}

func (g *Guard) isPublic(path string) bool { return below(path, g.public) }

// below reports whether a path is one of a list, or below one.
func below(path string, list []string) bool {
	for _, p := range list {
		if path == p || p != "/" && strings.HasPrefix(path, strings.TrimRight(p, "/")+"/") {
			return true
		}
	}
	return false
}

func (g *Guard) check(r *http.Request) *fault.Fault {
	if g.hosts != nil && !g.hosts[hostname(r.Host)] {
		f := fault.New(fault.Forbidden, "this listener is not known under the host name the request used")
		f.Hint = "use localhost or 127.0.0.1, or start with --allow-host NAME"
		return f
	}
	if len(r.Header["Origin"]) > 1 {
		return fault.New(fault.Forbidden, "a request with more than one Origin is refused")
	}
	if g.isPublic(r.URL.Path) && (r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions) {
		return nil
	}
	origin := r.Header.Get("Origin")
	if origin != "" && !g.sameOrigin(origin, r.Host) && !g.origins[strings.ToLower(origin)] {
		f := fault.New(fault.Forbidden, "calls from web pages of other origins are refused")
		f.Hint = "if this page may call, start with --allow-origin ORIGIN"
		return f
	}
	if g.crossing.Check(r) != nil || origin == "" && foreign(r) && !g.lands(r) {
		return fault.New(fault.Forbidden, "cross-site browser requests are refused")
	}
	return nil
}

// foreign reports whether the browser says that another site made it send the
// request (W3C Fetch Metadata, section 2.3).
func foreign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return true
	default:
		return false
	}
}

// lands reports whether the request follows a link to a page of ours.
func (g *Guard) lands(r *http.Request) bool {
	if r.Header.Get("Sec-Fetch-Mode") != "navigate" {
		return false
	}
	return below(r.URL.Path, g.landing)
}

// sameOrigin compares host and port. A proxy in front may speak https where http is
// served here, so the scheme is left out, as CrossOriginProtection does.
func (g *Guard) sameOrigin(origin, host string) bool {
	_, rest, ok := strings.Cut(origin, "://")
	return ok && strings.EqualFold(rest, host)
}

// hostname is a Host header's or flag's name in lower case without port,
// brackets and trailing dot.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	host = strings.TrimSuffix(host, ".")
	for i := range len(host) {
		if c := host[i]; 'A' <= c && c <= 'Z' {
			return strings.ToLower(host)
		}
	}
	return host
}

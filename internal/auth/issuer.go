package auth

import (
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"patchbay/internal/jsonvalue"
)

// IssuerOptions say how issuers are asked for their keys.
type IssuerOptions struct {
	// Plain reports hosts that may be asked over http; nil is none. All others
	// are asked over https.
	Plain func(host string) bool
	// Transport and Now replace the network and the clock; nil is the usual ones.
	Transport http.RoundTripper
	Now       func() time.Time
	// Report is told of every attempt to fetch keys that failed.
	Report func(issuer string, err error)
}

// Issuers keeps the keys of authorization servers. Deployments that follow each
// other share them, so that a reload does not depend on an issuer. It is safe for
// concurrent use. Close ends what it fetches.
type Issuers struct {
	opts   IssuerOptions
	client *http.Client
	base   context.Context
	stop   context.CancelFunc
	flying sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	sources map[[2]string]*keySource
}

// Times and sizes of keys.
const (
	// refreshAfter is when keys are fetched again, in the background; keepFor how
	// long they are used while that fails.
	refreshAfter = 10 * time.Minute
	keepFor      = 24 * time.Hour
	// unknownFloor is the time between two fetches that unknown keys cause,
	// failedFloor that after a failure: tokens that anybody can make up must not
	// become requests to the issuer.
	unknownFloor = 10 * time.Second
	failedFloor  = 5 * time.Second
	// fetchTime bounds one fetch, of the metadata and the keys together.
	fetchTime    = 10 * time.Second
	maxDocument  = 1 << 20 // bytes
	maxHeader    = 64 << 10
	connectTime  = 5 * time.Second
	idleTime     = 30 * time.Second
	metadataKind = "oauth-authorization-server"
	openIDKind   = "openid-configuration"
)

// NewIssuers returns an empty set of keys.
func NewIssuers(o IssuerOptions) *Issuers {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Plain == nil {
		o.Plain = func(string) bool { return false }
	}
	if o.Report == nil {
		o.Report = func(string, error) {}
	}
	if o.Transport == nil {
		o.Transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: connectTime, IdleConnTimeout: idleTime, MaxResponseHeaderBytes: maxHeader,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
		}
	}
	base, stop := context.WithCancel(context.Background())
	s := &Issuers{opts: o, base: base, stop: stop, sources: map[[2]string]*keySource{}}
	s.client = &http.Client{
		Transport: o.Transport,
		// Where keys come from is what the issuer's name and metadata say.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s
}

// Close ends fetches under way. Keys that were fetched go on to be used.
func (s *Issuers) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.flying.Wait()
	s.client.CloseIdleConnections()
}

// source returns the keys of an issuer, of which there is one for each address.
func (s *Issuers) source(issuer, jwks string) (*keySource, error) {
	from := jwks
	if from == "" {
		from = issuer
	}
	if err := s.checkAddress(from); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := [2]string{issuer, jwks}
	if s.sources[at] == nil {
		s.sources[at] = &keySource{issuers: s, issuer: issuer, jwks: jwks}
	}
	return s.sources[at], nil
}

// checkAddress refuses to fetch keys over a connection on which they can be replaced.
func (s *Issuers) checkAddress(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%q is not an https address", clipText(address))
	case u.Scheme == "http" && !s.opts.Plain(u.Hostname()):
		return fmt.Errorf("%s: keys are fetched over https only, or over http from this machine", clipText(address))
	}
	return nil
}

// unavailableError says that keys cannot be had, and when to try again.
type unavailableError struct {
	cause error
	retry time.Duration
}

func (e *unavailableError) Error() string { return e.cause.Error() }
func (e *unavailableError) Unwrap() error { return e.cause }

// keySource is the keys of one issuer.
type keySource struct {
	issuers      *Issuers
	issuer, jwks string
	current      atomic.Pointer[keySet]

	mu     sync.Mutex
	flight *flight
	// tried is when the last fetch ended, failed how.
	tried  time.Time
	failed error
}

// keySet is what one fetch gave.
type keySet struct {
	keys    []publicKey
	fetched time.Time
}

// flight is a fetch under way, for all who wait for it.
type flight struct {
	done chan struct{}
	err  error
}

// key returns the key of a name. Keys that are known are used at once, whatever
// the issuer does meanwhile; one that is not known is looked for at the issuer,
// but not more often than the floor says.
func (k *keySource) key(ctx context.Context, id, algorithm string) (crypto.PublicKey, error) {
	set := k.current.Load()
	age := time.Duration(0)
	if set != nil {
		age = k.issuers.opts.Now().Sub(set.fetched)
		if key := findKey(set.keys, id, algorithm); key != nil && age < keepFor {
			if age >= refreshAfter {
				k.refresh()
			}
			return key, nil
		}
	}
	if err := k.prepare(ctx); err != nil {
		return nil, err
	}
	if set = k.current.Load(); set != nil && k.issuers.opts.Now().Sub(set.fetched) < keepFor {
		if key := findKey(set.keys, id, algorithm); key != nil {
			return key, nil
		}
	}
	return nil, tokenError("the token is signed with a key that its issuer does not publish")
}

// prepare fetches the keys, or waits for who does.
func (k *keySource) prepare(ctx context.Context) error {
	f, err := k.refresh()
	if f == nil {
		return err
	}
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// refresh starts a fetch unless there is one; where it is too soon for one, it
// returns how the last one ended.
func (k *keySource) refresh() (*flight, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.flight != nil {
		return k.flight, nil
	}
	floor := unknownFloor
	if k.failed != nil {
		floor = failedFloor
	}
	if wait := floor - k.issuers.opts.Now().Sub(k.tried); !k.tried.IsZero() && wait > 0 {
		if k.failed != nil {
			return nil, &unavailableError{k.failed, wait}
		}
		return nil, nil
	}
	s := k.issuers
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, &unavailableError{errors.New("the gateway is stopping"), failedFloor}
	}
	f := &flight{done: make(chan struct{})}
	k.flight = f
	s.flying.Go(func() { k.fly(f) })
	return f, nil
}

func (k *keySource) fly(f *flight) {
	s := k.issuers
	ctx, cancel := context.WithTimeout(s.base, fetchTime)
	defer cancel()
	keys, err := k.fetch(ctx)
	now := s.opts.Now()
	if err != nil {
		f.err = &unavailableError{err, failedFloor}
		s.opts.Report(k.issuer, err)
	} else {
		k.current.Store(&keySet{keys, now})
	}
	k.mu.Lock()
	k.flight, k.tried, k.failed = nil, now, err
	k.mu.Unlock()
	close(f.done)
}

func (k *keySource) fetch(ctx context.Context) ([]publicKey, error) {
	address := k.jwks
	if address == "" {
		var err error
		if address, err = k.discover(ctx); err != nil {
			return nil, err
		}
	}
	data, err := k.issuers.get(ctx, address)
	if err != nil {
		return nil, err
	}
	keys, err := parseKeys(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", clipText(address), err)
	}
	return keys, nil
}

// discover finds the address of the keys in the issuer's metadata (RFC 8414
// section 3, OpenID Connect Discovery 1.0 section 4), in the order of the MCP
// specification.
func (k *keySource) discover(ctx context.Context) (string, error) {
	u, err := url.Parse(k.issuer)
	if err != nil {
		return "", err
	}
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	places := []string{"/.well-known/" + metadataKind + path, "/.well-known/" + openIDKind + path}
	if path != "" {
		places = append(places, path+"/.well-known/"+openIDKind)
	}
	var errs []error
	for _, place := range places {
		address := u.Scheme + "://" + u.Host + place
		data, err := k.issuers.get(ctx, address)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		jwks, err := k.readMetadata(data)
		if err == nil {
			return jwks, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", clipText(address), err))
	}
	return "", errors.Join(errs...)
}

func (k *keySource) readMetadata(data []byte) (string, error) {
	root, err := jsonvalue.Parse(data)
	if err != nil {
		return "", errors.New("the issuer's metadata is not JSON")
	}
	// Otherwise one issuer could hand out another one's keys (RFC 8414 section 3.3).
	if name := root.Get("issuer"); name == nil || name.Text() != k.issuer {
		return "", errors.New("the metadata is another issuer's")
	}
	jwks := root.Get("jwks_uri")
	if jwks == nil || jwks.Kind() != jsonvalue.String {
		return "", errors.New("the issuer's metadata has no jwks_uri")
	}
	return jwks.Text(), k.issuers.checkAddress(jwks.Text())
}

// get fetches a JSON document.
func (s *Issuers) get(ctx context.Context, address string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json, application/jwk-set+json")
	r.Header.Set("User-Agent", "patchbay")
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %d", clipText(address), answer.StatusCode)
	}
	if kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type")); err == nil && kind == "text/html" {
		return nil, fmt.Errorf("%s answered with a page", clipText(address))
	}
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", clipText(address), err)
	}
	if len(data) > maxDocument {
		return nil, fmt.Errorf("%s answered with more than %d bytes", clipText(address), maxDocument)
	}
	return data, nil
}

func clipText(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"patchbay/internal/fault"
)

// issuer is an authorization server for tests: it publishes keys and signs.
type issuer struct {
	*httptest.Server
	now atomic.Int64

	mu       sync.Mutex
	keys     map[string]crypto.Signer
	order    []string
	answer   func(w http.ResponseWriter, r *http.Request) bool
	metadata map[string]any
	fetched  map[string]int
	failures []string
}

func newIssuer(t testing.TB) *issuer {
	s := &issuer{keys: map[string]crypto.Signer{}, fetched: map[string]int{}}
	s.now.Store(time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC).UnixNano())
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	s.metadata = map[string]any{"issuer": s.URL, "jwks_uri": s.URL + "/keys"}
	return s
}

func (s *issuer) clock() time.Time     { return time.Unix(0, s.now.Load()) }
func (s *issuer) pass(d time.Duration) { s.now.Add(int64(d)) }
func (s *issuer) report(_ string, err error) {
	s.locked(func() { s.failures = append(s.failures, err.Error()) })
}
func (s *issuer) locked(f func())           { s.mu.Lock(); defer s.mu.Unlock(); f() }
func (s *issuer) count(path string) (n int) { s.locked(func() { n = s.fetched[path] }); return n }
func (s *issuer) publish(id string, k crypto.Signer) {
	s.locked(func() { s.keys[id] = k; s.order = append(s.order, id) })
}

func (s *issuer) withdraw(id string) {
	s.locked(func() {
		delete(s.keys, id)
		s.order = slices.DeleteFunc(s.order, func(o string) bool { return o == id })
	})
}

func (s *issuer) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.fetched[r.URL.Path]++
	answer := s.answer
	s.mu.Unlock()
	if answer != nil && answer(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		_ = json.NewEncoder(w).Encode(s.metadata)
	case "/keys":
		list := []any{}
		for _, id := range s.order {
			list = append(list, jwkOf(id, s.keys[id].Public()))
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": list})
	default:
		http.NotFound(w, r)
	}
}

// jwkOf writes a public key as issuers do.
func jwkOf(id string, key crypto.PublicKey) map[string]any {
	b64 := base64.RawURLEncoding.EncodeToString
	switch k := key.(type) {
	case *rsa.PublicKey:
		return map[string]any{"kty": "RSA", "kid": id, "use": "sig", "n": b64(k.N.Bytes()), "e": b64(big.NewInt(int64(k.E)).Bytes())}
	case *ecdsa.PublicKey:
		point, _ := k.Bytes()
		half := (len(point) - 1) / 2
		return map[string]any{"kty": "EC", "kid": id, "crv": k.Params().Name, "x": b64(point[1 : 1+half]), "y": b64(point[1+half:])}
	case ed25519.PublicKey:
		return map[string]any{"kty": "OKP", "kid": id, "crv": "Ed25519", "x": b64(k)}
	default:
		return nil
	}
}

// issuers asks the issuer with its clock, over plain http on this machine.
func (s *issuer) issuers(t testing.TB) *Issuers {
	out := NewIssuers(IssuerOptions{Plain: func(host string) bool { return host == "127.0.0.1" }, Now: s.clock, Report: s.report})
	t.Cleanup(out.Close)
	return out
}

const audience = "https://gateway.example/mcp"

func (s *issuer) tokens(t testing.TB, change func(*TokenOptions)) *Verifier {
	t.Helper()
	o := TokenOptions{Issuer: s.URL, Audience: audience}
	if change != nil {
		change(&o)
	}
	tokens, err := s.issuers(t).Tokens(o)
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewVerifier(Options{Tokens: tokens})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// claimsNow are those of a good token, with changes; nil takes a claim away.
func (s *issuer) claimsNow(changes map[string]any) jwt.MapClaims {
	now := s.clock().Unix()
	c := jwt.MapClaims{"iss": s.URL, "aud": audience, "sub": "ada", "iat": now, "exp": now + 300}
	maps.Copy(c, changes)
	for name, v := range c {
		if v == nil {
			delete(c, name)
		}
	}
	return c
}

// sign makes a token with any header and key.
func sign(t testing.TB, method jwt.SigningMethod, key any, header map[string]any, claims jwt.Claims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	for name, v := range header {
		if v == nil {
			delete(token.Header, name)
		} else {
			token.Header[name] = v
		}
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// ask shows a token and returns who it is, or the refusal.
func ask(v *Verifier, token string) (*Caller, *Refusal) {
	r := httptest.NewRequest("POST", "/mcp", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return v.Verify(r)
}

// asked is the outcome in a word: the caller, or - with the kind of the fault.
func asked(v *Verifier, token string) string {
	c, refused := ask(v, token)
	if refused != nil {
		return "-" + refused.Fault.Kind.String()
	}
	return c.Name
}

// TestKeysRotate: a key that is new is found, one that is withdrawn stops to be
// good, and made-up keys do not become requests to the issuer.
func TestKeysRotate(t *testing.T) {
	s := newIssuer(t)
	first, second := ecKey(t, elliptic.P256()), ecKey(t, elliptic.P256())
	s.publish("first", first)
	v := s.tokens(t, nil)
	token := func(id string, key crypto.Signer) string {
		return sign(t, jwt.SigningMethodES256, key, map[string]any{"kid": id}, s.claimsNow(nil))
	}
	if got := asked(v, token("first", first)); got != "ada" {
		t.Fatalf("the first key: %s %s", got, s.failures)
	}
	if n := s.count("/keys"); n != 1 {
		t.Errorf("%d fetches for one token", n)
	}
	for range 20 {
		if got := asked(v, token("made-up", second)); got != "-unauthenticated" {
			t.Errorf("a made-up key: %s", got)
		}
	}
	if n := s.count("/keys"); n != 1 {
		t.Errorf("made-up keys made %d fetches", n)
	}
	s.publish("second", second)
	s.pass(unknownFloor)
	if got := asked(v, token("second", second)); got != "ada" || s.count("/keys") != 2 {
		t.Errorf("the second key: %s after %d fetches", got, s.count("/keys"))
	}
	if got := asked(v, token("second", first)); got != "-unauthenticated" {
		t.Errorf("the first key under the second one's name: %s", got)
	}
	// Keys of a certain age are fetched again while they are in use.
	s.withdraw("first")
	s.pass(refreshAfter)
	if got := asked(v, token("first", first)); got != "ada" {
		t.Errorf("a key of a certain age: %s", got)
	}
	v.tokens.keys.issuers.flying.Wait()
	if got := asked(v, token("first", first)); got != "-unauthenticated" {
		t.Errorf("a key that is withdrawn: %s", got)
	}
}

// TestIssuerDown: without keys nobody can say whether a token is good; with keys,
// an issuer that is away harms nobody whose key is known.
func TestIssuerDown(t *testing.T) {
	s := newIssuer(t)
	key := ecKey(t, elliptic.P256())
	s.publish("k", key)
	down := func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	s.locked(func() { s.answer = down })
	v := s.tokens(t, nil)
	good := func() string {
		return sign(t, jwt.SigningMethodES256, key, map[string]any{"kid": "k"}, s.claimsNow(nil))
	}
	_, refused := ask(v, good())
	if refused == nil || refused.Fault.Kind != fault.Unavailable || refused.Fault.RetryAfter <= 0 || refused.Fault.Cause == nil {
		t.Fatalf("without keys: %+v", refused)
	}
	if len(s.failures) == 0 || !strings.Contains(s.failures[0], "answered 503") {
		t.Errorf("reported: %q", s.failures)
	}
	before := s.count("/.well-known/openid-configuration")
	for range 10 {
		if got := asked(v, good()); got != "-unavailable" {
			t.Errorf("again: %s", got)
		}
	}
	if n := s.count("/.well-known/openid-configuration"); n != before {
		t.Errorf("%d fetches within the floor", n-before)
	}
	s.locked(func() { s.answer = nil })
	s.pass(failedFloor)
	if got := asked(v, good()); got != "ada" {
		t.Errorf("when it is back: %s", got)
	}
	s.locked(func() { s.answer = down })
	s.pass(refreshAfter + time.Hour)
	if got := asked(v, good()); got != "ada" {
		t.Errorf("down again, with keys: %s", got)
	}
	v.tokens.keys.issuers.flying.Wait()
	s.pass(keepFor)
	if got := asked(v, good()); got != "-unavailable" {
		t.Errorf("down for more than a day: %s", got)
	}
}

// TestIssuerAnswers: what an issuer publishes is bounded and has to be its own.
func TestIssuerAnswers(t *testing.T) {
	write := func(text string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { _, _ = w.Write([]byte(text)) }
	}
	other := newIssuer(t)
	for _, tt := range []struct {
		name, path string
		answer     func(http.ResponseWriter)
		says       string
	}{
		{"metadata of another issuer", "/.well-known/openid-configuration", write(`{"issuer":"` + other.URL + `","jwks_uri":"` + other.URL + `/keys"}`), "another issuer's"},
		{"metadata without keys", "/.well-known/openid-configuration", write(`{"issuer":"SELF"}`), "no jwks_uri"},
		{"keys over http from elsewhere", "/.well-known/openid-configuration", write(`{"issuer":"SELF","jwks_uri":"http://keys.example/jwks"}`), "over https only"},
		{"keys of a file", "/.well-known/openid-configuration", write(`{"issuer":"SELF","jwks_uri":"file:///etc/passwd"}`), "not an https address"},
		{"metadata that is a page", "/.well-known/openid-configuration", func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html>"))
		}, "answered with a page"},
		{"a redirect", "/keys", func(w http.ResponseWriter) {
			w.Header().Set("Location", other.URL+"/keys")
			w.WriteHeader(http.StatusFound)
		}, "answered 302"},
		{"endless keys", "/keys", func(w http.ResponseWriter) {
			line := []byte(strings.Repeat(" ", 64<<10))
			for range 40 {
				if _, err := w.Write(line); err != nil {
					return
				}
			}
		}, "more than 1048576 bytes"},
		{"many keys", "/keys", write(`{"keys":[` + strings.Repeat(`{"kty":"oct"},`, maxKeys) + `{"kty":"oct"}]}`), "more than 100 keys"},
		{"keys that are none", "/keys", write(`{"keys":[{"kty":"oct","kid":"k","k":"c2VjcmV0"},{"kty":"RSA","kid":"k","n":"AQAB","e":"AQAB"},{"kty":"EC","kid":"k","crv":"P-256","x":"AA","y":"AA"}]}`), "no key for signatures"},
		{"deep keys", "/keys", write(`{"keys":` + strings.Repeat("[", 100_000)), "not JSON"},
		{"a connection that ends", "/keys", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, "EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newIssuer(t)
			key := ecKey(t, elliptic.P256())
			s.publish("k", key)
			s.answer = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != tt.path {
					return false
				}
				recorded := httptest.NewRecorder()
				if tt.path != "/keys" {
					tt.answer(recorded)
					maps.Copy(w.Header(), recorded.Header())
					_, _ = w.Write([]byte(strings.ReplaceAll(recorded.Body.String(), "SELF", s.URL)))
					return true
				}
				tt.answer(w)
				return true
			}
			v := s.tokens(t, nil)
			token := sign(t, jwt.SigningMethodES256, key, map[string]any{"kid": "k"}, s.claimsNow(nil))
			if got := asked(v, token); got != "-unavailable" {
				t.Errorf("got %s", got)
			}
			s.locked(func() {
				if len(s.failures) == 0 || !strings.Contains(s.failures[0], tt.says) {
					t.Errorf("reported %q, want %q", s.failures, tt.says)
				}
			})
			if other.count("/keys") != 0 {
				t.Error("another issuer was asked")
			}
		})
	}
}

// TestSlowIssuer: a caller that leaves does not wait, and callers that come
// together wait for one fetch.
func TestSlowIssuer(t *testing.T) {
	s := newIssuer(t)
	key := ecKey(t, elliptic.P256())
	s.publish("k", key)
	arrived, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.answer = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/keys" {
			once.Do(func() { close(arrived) })
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
		return false
	}
	v := s.tokens(t, nil)
	token := sign(t, jwt.SigningMethodES256, key, map[string]any{"kid": "k"}, s.claimsNow(nil))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if got := asked(v, token); got != "ada" {
				t.Errorf("who waited is %s", got)
			}
		})
	}
	<-arrived
	ctx, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequestWithContext(ctx, "POST", "/mcp", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	if _, refused := v.Verify(r); refused == nil || refused.Fault.Kind != fault.Canceled {
		t.Errorf("who left: %+v", refused)
	}
	close(release)
	group.Wait()
	if n := s.count("/keys"); n != 1 {
		t.Errorf("%d fetches", n)
	}
}

// TestIssuersClose: ending does not wait for an issuer that does not answer.
func TestIssuersClose(t *testing.T) {
	s := newIssuer(t)
	arrived := make(chan struct{})
	s.answer = func(_ http.ResponseWriter, r *http.Request) bool {
		select {
		case arrived <- struct{}{}:
		default:
		}
		<-r.Context().Done()
		return true
	}
	v := s.tokens(t, nil)
	done := make(chan error)
	go func() { done <- v.tokens.Prepare(context.WithoutCancel(t.Context())) }()
	<-arrived
	v.tokens.keys.issuers.Close()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("who waited got %v", err)
	}
	s.pass(time.Hour)
	if err := v.tokens.Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "stopping") {
		t.Errorf("after the end: %v", err)
	}
}

// TestDiscovery: metadata is looked for where RFC 8414 and OpenID Connect put it.
func TestDiscovery(t *testing.T) {
	for path, places := range map[string][]string{
		"":        {"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"},
		"/tenant": {"/.well-known/oauth-authorization-server/tenant", "/.well-known/openid-configuration/tenant", "/tenant/.well-known/openid-configuration"},
	} {
		for last := range places {
			s := newIssuer(t)
			key := ecKey(t, elliptic.P256())
			s.publish("k", key)
			name := s.URL + path
			s.metadata["issuer"] = name
			var seen []string
			s.answer = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == "/keys" {
					return false
				}
				seen = append(seen, r.URL.Path)
				if len(seen) <= last {
					http.NotFound(w, r)
				} else {
					_ = json.NewEncoder(w).Encode(s.metadata)
				}
				return true
			}
			v := s.tokens(t, func(o *TokenOptions) { o.Issuer = name })
			token := sign(t, jwt.SigningMethodES256, key, nil, s.claimsNow(map[string]any{"iss": name}))
			if got := asked(v, token); got != "ada" || !slices.Equal(seen, places[:last+1]) {
				t.Errorf("%s: %s after %q", path, got, seen)
			}
		}
	}
}

// FuzzKeys: no set of keys makes a key that is too weak, or more of them than
// may be.
func FuzzKeys(f *testing.F) {
	for _, k := range []crypto.PublicKey{ecKey(f, elliptic.P256()).Public(), rsaKey(f, 2048).Public(), ed25519.NewKeyFromSeed(make([]byte, 32)).Public()} {
		text, err := json.Marshal(map[string]any{"keys": []any{jwkOf("k", k)}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AAAA"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := parseKeys(data)
		if err == nil && (len(keys) == 0 || len(keys) > maxKeys) {
			t.Errorf("%d keys", len(keys))
		}
		for _, k := range keys {
			switch key := k.key.(type) {
			case *rsa.PublicKey:
				if key.N.BitLen() < minRSABits || key.E < 3 {
					t.Error("a weak key")
				}
			case *ecdsa.PublicKey:
				if _, err := key.Bytes(); err != nil {
					t.Error("a point that is not on its curve")
				}
			case ed25519.PublicKey:
				if len(key) != ed25519.PublicKeySize {
					t.Error("a short key")
				}
			default:
				t.Errorf("a key of type %T", key)
			}
		}
	})
}

package auth

import (
	"context"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"patchbay/internal/fault"
	"patchbay/internal/secret"
)

func TestSigners(t *testing.T) {
	basic, err := Basic(secret.New("AC1"), secret.New("p:w"))
	if err != nil {
		t.Fatal(err)
	}
	if name, values := basic.Header(); name != "Authorization" || values[0] != "Basic QUMxOnA6dw==" {
		t.Errorf("basic: %s: %s", name, values)
	}
	bearer, err := Bearer(secret.New("tok"))
	if err != nil {
		t.Fatal(err)
	}
	if _, values := bearer.Header(); values[0] != "Bearer tok" {
		t.Errorf("bearer: %s", values)
	}
	header, err := APIKey("x-key", secret.New("k"), InHeader, url.QueryEscape)
	if err != nil {
		t.Fatal(err)
	}
	if name, values := header.Header(); name != "X-Key" || values[0] != "k" {
		t.Errorf("header key: %s: %s", name, values)
	}
	query, err := APIKey("key", secret.New("a b&c"), InQuery, url.QueryEscape)
	if err != nil || query.Query() != "key=a+b%26c" {
		t.Errorf("query key: %s (%v)", query.Query(), err)
	}
	cookie, err := APIKey("sid", secret.New("v"), InCookie, url.QueryEscape)
	if err != nil || cookie.Cookie() != "sid=v" {
		t.Errorf("cookie key: %s (%v)", cookie.Cookie(), err)
	}
}

func TestSignersOfSeveralFields(t *testing.T) {
	one, err := APIKey("X-Key", secret.New("k"), InHeader, url.QueryEscape)
	if err != nil {
		t.Fatal(err)
	}
	other, err := APIKey("x-app", secret.New("a"), InHeader, url.QueryEscape)
	if err != nil {
		t.Fatal(err)
	}
	both := one.And(other)
	if name, _ := both.Header(); name != "X-Key" || len(both.More()) != 1 || both.More()[0].Name != "X-App" || both.More()[0].Values[0] != "a" {
		t.Errorf("both: %s and %v", name, both.More())
	}
	if len(one.More()) != 0 {
		t.Error("the first signer was changed")
	}
	body, err := APIKey("api_key", secret.New("k"), InBody, url.QueryEscape)
	if name, value := body.Member(); err != nil || name != "api_key" || value != "k" || body.IsZero() {
		t.Errorf("in the body: %s=%s (%v)", name, value, err)
	}
	if _, err := APIKey("api_key", secret.New("\xff"), InBody, url.QueryEscape); err == nil {
		t.Error("a key that is not UTF-8 was accepted for a body")
	}
}

func TestSignersRefuseWhatCannotTravel(t *testing.T) {
	if _, err := Basic(secret.New("a:b"), secret.New("c")); err == nil {
		t.Error("a colon in a basic username was accepted")
	}
	if _, err := Bearer(secret.New("a\r\nX: y")); err == nil {
		t.Error("a line break in a token was accepted")
	}
	if _, err := APIKey("x y", secret.New("v"), InHeader, url.QueryEscape); err == nil {
		t.Error("a header name with a space was accepted")
	}
	if _, err := APIKey("c", secret.New("v;w"), InCookie, url.QueryEscape); err == nil {
		t.Error("a cookie value with a semicolon was accepted")
	}
}

// verifier makes a verifier of keys.
func verifier(t testing.TB, keys ...Key) *Verifier {
	t.Helper()
	v, err := NewVerifier(Options{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func key(caller string, scheme Scheme, value string) Key {
	return Key{Caller: caller, Scheme: scheme, Secret: secret.New(value)}
}

func TestVerify(t *testing.T) {
	basic := verifier(t, Key{Caller: "b", Scheme: SchemeBasic, Username: "u", Secret: secret.New("p")})
	bearer := verifier(t, key("t", SchemeBearer, "tok"))
	header := verifier(t, Key{Caller: "h", Scheme: SchemeAPIKey, Name: "x-key", Secret: secret.New("k")})
	query := verifier(t, Key{Caller: "q", Scheme: SchemeAPIKey, Name: "key", Place: InQuery, Secret: secret.New("k")})
	cookie := verifier(t, Key{Caller: "c", Scheme: SchemeAPIKey, Name: "sid", Place: InCookie, Secret: secret.New("k")})
	// Several callers, one of whom is changing its secret.
	many := verifier(t,
		key("billing", SchemeBearer, "old"), key("reports", SchemeBearer, "other"), key("billing", SchemeBearer, "new"),
		Key{Caller: "legacy", Scheme: SchemeAPIKey, Name: "X-Key", Secret: secret.New("k")},
		Key{Caller: "cron", Scheme: SchemeAPIKey, Name: "X-Key", Secret: secret.New("c")},
		Key{Caller: "person", Scheme: SchemeBasic, Username: "u", Secret: secret.New("p:w")},
	)
	for _, tt := range []struct {
		name     string
		verifier *Verifier
		target   string
		header   string
		want     string // the caller, "-" for a refusal
	}{
		{"none", nil, "/", "", ""},
		{"basic", basic, "/", "Authorization: Basic dTpw", "b"},
		{"basic wrong", basic, "/", "Authorization: Basic dTpx", "-"},
		{"basic cut", basic, "/", "Authorization: Basic dTpw=", "-"},
		{"basic none", basic, "/", "", "-"},
		{"bearer", bearer, "/", "Authorization: bearer tok", "t"},
		{"bearer wrong", bearer, "/", "Authorization: Bearer to", "-"},
		{"bearer empty", bearer, "/", "Authorization: Bearer ", "-"},
		{"bearer with a space", bearer, "/", "Authorization: Bearer tok ", "-"},
		{"bearer as basic", bearer, "/", "Authorization: Basic tok", "-"},
		{"bearer without scheme", bearer, "/", "Authorization: tok", "-"},
		{"bearer in the query", bearer, "/?access_token=tok", "", "-"},
		{"bearer twice", bearer, "/", "Authorization: Bearer tok\nAuthorization: Bearer tok", "-"},
		{"bearer beside another", bearer, "/", "Authorization: Bearer wrong\nAuthorization: Bearer tok", "-"},
		{"header key", header, "/", "x-key: k", "h"},
		{"header key empty", header, "/", "x-key: ", "-"},
		{"header key twice", header, "/", "x-key: k\nx-key: k", "-"},
		{"query key", query, "/?a=1&key=k", "", "q"},
		{"query key twice", query, "/?key=k&key=k", "", "-"},
		{"query key in a query that is none", query, "/?key=k&a=%zz", "", "-"},
		{"cookie key", cookie, "/", "Cookie: a=b; sid=k", "c"},
		{"cookie key wrong", cookie, "/", "Cookie: sid=K", "-"},
		{"cookie key twice", cookie, "/", "Cookie: sid=K; sid=k", "-"},
		{"many, old", many, "/", "Authorization: Bearer old", "billing"},
		{"many, new", many, "/", "Authorization: Bearer new", "billing"},
		{"many, another", many, "/", "Authorization: Bearer other", "reports"},
		{"many, key", many, "/", "X-Key: c", "cron"},
		{"many, basic", many, "/", "Authorization: Basic dTpwOnc=", "person"},
		{"many, a token as key", many, "/", "X-Key: other", "-"},
		{"many, a key as token", many, "/", "Authorization: Bearer k", "-"},
		{"many, one right and one wrong", many, "/", "Authorization: Bearer wrong\nX-Key: k", "legacy"},
	} {
		r := httptest.NewRequest("GET", tt.target, nil)
		for line := range strings.SplitSeq(tt.header, "\n") {
			if name, value, ok := strings.Cut(line, ": "); ok {
				r.Header.Add(name, value)
			}
		}
		caller, refused := tt.verifier.Verify(r)
		got := caller.CallerName()
		if refused != nil {
			got = "-"
			if refused.Fault.Kind != fault.Unauthenticated || len(refused.Challenges) == 0 {
				t.Errorf("%s: %+v", tt.name, refused)
			}
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if want := []string{`Bearer realm="patchbay"`, `ApiKey realm="patchbay"`, `Basic realm="patchbay", charset="UTF-8"`}; !slices.Equal(many.challenges, want) {
		t.Errorf("challenges %q", many.challenges)
	}
}

func TestVerifiersRefuse(t *testing.T) {
	for _, tt := range []struct {
		name string
		keys []Key
		says string
	}{
		{"nobody", nil, "nobody would be let in"},
		{"no name", []Key{key("", SchemeBearer, "x")}, "has no name"},
		{"an empty token", []Key{key("a", SchemeBearer, "")}, "the secret of a is empty"},
		{"an empty password", []Key{{Caller: "a", Scheme: SchemeBasic, Username: "u"}}, "the secret of a is empty"},
		{"an empty user", []Key{key("a", SchemeBasic, "p")}, "the user of a is empty"},
		{"a colon", []Key{{Caller: "a", Scheme: SchemeBasic, Username: "u:v", Secret: secret.New("p")}}, "colon"},
		{"an empty key", []Key{{Caller: "a", Scheme: SchemeAPIKey, Name: "k"}}, "the secret of a is empty"},
		{"a key without a place", []Key{key("a", SchemeAPIKey, "k")}, "no header and no parameter"},
		{"another scheme", []Key{key("a", "digest", "k")}, "none of basic, bearer and apikey"},
		{"tokens as keys", []Key{key("a", SchemeJWT, "k")}, "no scheme of a key"},
		{"one secret of two callers", []Key{key("a", SchemeBearer, "k"), key("b", SchemeBearer, "k")}, "a and b have the same secret"},
	} {
		_, err := NewVerifier(Options{Keys: tt.keys})
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err != nil && strings.Contains(err.Error(), "the key") && strings.Contains(err.Error(), "secret k") {
			t.Errorf("%s: a secret is shown: %v", tt.name, err)
		}
	}
}

// TestVerifyComparesAll: the time that a comparison takes must not tell which key
// it was nearest to. By construction every key is compared as a digest of fixed
// size; what can be seen from outside is that all of them are, in any order.
func TestVerifyComparesAll(t *testing.T) {
	var keys []Key
	for i := range 50 {
		keys = append(keys, key("caller"+strconv.Itoa(i), SchemeBearer, "secret-"+strconv.Itoa(i)))
	}
	v := verifier(t, keys...)
	for i := range keys {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer secret-"+strconv.Itoa(i))
		if c, refused := v.Verify(r); refused != nil || c.Name != keys[i].Caller {
			t.Errorf("key %d: %v, %v", i, c, refused)
		}
	}
}

// TestVerifyAllocations: a key costs nothing, however many there are.
func TestVerifyAllocations(t *testing.T) {
	var keys []Key
	for i := range 50 {
		keys = append(keys, key("caller"+strconv.Itoa(i), SchemeBearer, "a-secret-as-long-as-operators-make-them-"+strconv.Itoa(i)))
	}
	v := verifier(t, keys...)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer a-secret-as-long-as-operators-make-them-49")
	if n := testing.AllocsPerRun(100, func() { v.Verify(r) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestCallerOf(t *testing.T) {
	if c := CallerOf(t.Context()); c != nil || c.CallerName() != "" {
		t.Errorf("nobody is %v", c)
	}
	if ctx := WithCaller(t.Context(), nil); ctx != t.Context() {
		t.Error("nobody made a context")
	}
	ctx, cancel := context.WithCancel(WithCaller(t.Context(), &Caller{Name: "billing"}))
	defer cancel()
	if c := CallerOf(ctx); c.CallerName() != "billing" {
		t.Errorf("got %v", c)
	}
}

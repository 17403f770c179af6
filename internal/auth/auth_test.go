package auth

import (
	"net/http/httptest"
	"net/url"
	"testing"

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

func TestVerify(t *testing.T) {
	basic, _ := VerifyBasic(secret.New("u"), secret.New("p"))
	bearer, _ := VerifyBearer(secret.New("tok"))
	header, _ := VerifyAPIKey("X-Key", secret.New("k"), InHeader)
	query, _ := VerifyAPIKey("key", secret.New("k"), InQuery)
	cookie, _ := VerifyAPIKey("sid", secret.New("k"), InCookie)
	for _, tt := range []struct {
		name     string
		verifier *Verifier
		target   string
		header   [2]string
		want     bool
	}{
		{"none", nil, "/", [2]string{}, true},
		{"basic", basic, "/", [2]string{"Authorization", "Basic dTpw"}, true},
		{"basic wrong", basic, "/", [2]string{"Authorization", "Basic dTpx"}, false},
		{"basic none", basic, "/", [2]string{}, false},
		{"bearer", bearer, "/", [2]string{"Authorization", "bearer tok"}, true},
		{"bearer wrong", bearer, "/", [2]string{"Authorization", "Bearer to"}, false},
		{"bearer as basic", bearer, "/", [2]string{"Authorization", "Basic tok"}, false},
		{"header key", header, "/", [2]string{"x-key", "k"}, true},
		{"header key empty", header, "/", [2]string{"x-key", ""}, false},
		{"query key", query, "/?a=1&key=k", [2]string{}, true},
		{"query key twice", query, "/?key=k&key=k", [2]string{}, false},
		{"cookie key", cookie, "/", [2]string{"Cookie", "a=b; sid=k"}, true},
		{"cookie key wrong", cookie, "/", [2]string{"Cookie", "sid=K"}, false},
	} {
		r := httptest.NewRequest("GET", tt.target, nil)
		if tt.header[0] != "" {
			r.Header.Set(tt.header[0], tt.header[1])
		}
		got, challenge := tt.verifier.Verify(r)
		if got != tt.want || got == (challenge != "") {
			t.Errorf("%s: %v with challenge %q", tt.name, got, challenge)
		}
	}
}

func TestVerifiersRefuseEmptySecrets(t *testing.T) {
	if _, ok := VerifyBasic(secret.New("u"), secret.New("")); ok {
		t.Error("basic")
	}
	if _, ok := VerifyBearer(secret.New("")); ok {
		t.Error("bearer")
	}
	if _, ok := VerifyAPIKey("k", secret.New(""), InHeader); ok {
		t.Error("apikey")
	}
}

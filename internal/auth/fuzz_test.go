package auth

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"patchbay/internal/secret"
)

// FuzzVerify: no header lets anybody in but the one with the secret, shown once.
func FuzzVerify(f *testing.F) {
	v, err := NewVerifier(Options{Keys: []Key{
		{Caller: "a", Scheme: SchemeBasic, Username: "user", Secret: secret.New("s3cret")},
		{Caller: "b", Scheme: SchemeBearer, Secret: secret.New("t0ken")},
		{Caller: "c", Scheme: SchemeAPIKey, Name: "X-Key", Place: InHeader, Secret: secret.New("k3y")},
	}})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"Basic dXNlcjpzM2NyZXQ=", "Bearer t0ken", "bearer  t0ken", "Basic dXNlcjo=", "Bearer t0ken, Basic dXNlcjpzM2NyZXQ=", "Basic", "", "Digest username=user", "Bearer t0ken "} {
		f.Add(seed, "", "")
		f.Add(seed, "k3y", seed)
	}
	f.Fuzz(func(t *testing.T, first, key, second string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		for name, values := range map[string][]string{"Authorization": {first, second}, "X-Key": {key}} {
			for _, value := range values {
				if value != "" {
					r.Header[name] = append(r.Header[name], value)
				}
			}
		}
		caller, refused := v.Verify(r)
		switch {
		case refused != nil:
			if len(refused.Challenges) == 0 || caller != nil {
				t.Errorf("refused without a challenge: %v", caller)
			}
		case caller.CallerName() == "c" && key == "k3y":
		case strings.Contains(first+second, "t0ken"), strings.Contains(first+second, "dXNlcjpzM2NyZXQ"):
			if first != "" && second != "" {
				t.Errorf("%q and %q let %s in", first, second, caller.CallerName())
			}
		default:
			t.Errorf("%q, %q, %q let %s in", first, second, key, caller.CallerName())
		}
	})
}

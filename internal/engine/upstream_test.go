package engine_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"patchbay/internal/bind"
	"patchbay/internal/deploy"
	"patchbay/internal/engine"
	"patchbay/internal/upstream"
)

// issuerFiles issues certificates and writes them where options can name them.
type issuerFiles struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newIssuerFiles(t *testing.T) *issuerFiles {
	a := &issuerFiles{t: t, dir: t.TempDir()}
	a.cert, a.key = a.issue("ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// issue writes NAME.pem and NAME.key.
func (a *issuerFiles) issue(name string, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber, template.Subject = big.NewInt(1), pkix.Name{CommonName: name}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(name+".pem", "CERTIFICATE", der)
	a.write(name+".key", "PRIVATE KEY", private)
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

func (a *issuerFiles) write(name, kind string, der []byte) {
	if err := os.WriteFile(a.path(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

func (a *issuerFiles) path(name string) string { return filepath.Join(a.dir, name) }

// TestUpstreamTLS: an upstream with an authority, a name and a client certificate
// of the operator's own.
func TestUpstreamTLS(t *testing.T) {
	a := newIssuerFiles(t)
	server, serverKey := a.issue("server", &x509.Certificate{DNSNames: []string{"parcels.internal"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	a.issue("client", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	seen := ""
	upstream := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.TLS.PeerCertificates[0].Subject.CommonName + " for " + r.TLS.ServerName
		answersJSON(200, `{}`)(w, r)
	}))
	upstream.Config.ErrorLog = log.New(io.Discard, "", 0)
	upstream.TLS = &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{server.Raw}, PrivateKey: serverKey}},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
	}
	upstream.StartTLS()
	defer upstream.Close()
	whole := deploy.ClientTLS{CA: a.path("ca.pem"), Certificate: a.path("client.pem"), Key: a.path("client.key"), ServerName: "parcels.internal"}
	for name, test := range map[string]struct {
		change func(*deploy.ClientTLS)
		status int
	}{
		"everything":            {func(*deploy.ClientTLS) {}, 200},
		"the system's":          {func(s *deploy.ClientTLS) { s.CA = "" }, 502},
		"the address's name":    {func(s *deploy.ClientTLS) { s.ServerName = "" }, 502},
		"no client certificate": {func(s *deploy.ClientTLS) { s.Certificate, s.Key = "", "" }, 502},
	} {
		t.Run(name, func(t *testing.T) {
			seen = ""
			set := whole
			test.change(&set)
			s := serve(t, settings{upstreamURL: upstream.URL + "/v1", options: func(o *deploy.Options) {
				o.UpstreamSettings = map[string]deploy.Upstream{"": {TLS: set}}
			}})
			a := s.REST("GET /v1/interactions/" + interaction)
			if a.status != test.status || (seen == "client for parcels.internal") != (test.status == 200) || a.header.Get("Patchbay-Retries") != "" && name != "no client certificate" {
				t.Errorf("the upstream saw %q: %s", seen, a)
			}
		})
	}
	for want, set := range map[string]deploy.ClientTLS{
		"holds no certificate": {CA: a.path("client.key")},
		"needs both":           {Certificate: whole.Certificate},
		"missing.pem":          {CA: a.path("missing.pem")},
		"private key":          {Certificate: whole.Certificate, Key: a.path("server.key")},
	} {
		opts := deploy.Defaults()
		opts.UpstreamSettings = map[string]deploy.Upstream{"": {TLS: set}}
		if _, err := bound(t, &opts, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", set, err, want)
		}
	}
}

// bound binds the embedded capability.
func bound(t *testing.T, opts *deploy.Options, states *upstream.States) (*engine.Deployment, error) {
	t.Helper()
	loaded, problems, err := engine.Load(opts)
	if err != nil || problems.HasErrors() {
		t.Fatal(err, problems)
	}
	environment, err := bind.New(bind.Options{Process: func(string) (string, bool) { return "x", true }})
	if err != nil {
		t.Fatal(err)
	}
	d, problems, err := engine.Bind(loaded, opts, engine.BindOptions{Environment: environment, Version: testVersion, States: states})
	if err == nil && problems.HasErrors() {
		t.Fatal(problems)
	}
	return d, err
}

// TestStatesOutliveDeployments: what is known about an upstream is known to the
// deployment that follows.
func TestStatesOutliveDeployments(t *testing.T) {
	opts, states := deploy.Defaults(), new(upstream.States)
	first, err := bound(t, &opts, states)
	if err != nil {
		t.Fatal(err)
	}
	second, err := bound(t, &opts, states)
	if err != nil {
		t.Fatal(err)
	}
	other := deploy.Defaults()
	other.Limits.MaxConcurrent = 7
	third, err := bound(t, &other, states)
	if err != nil {
		t.Fatal(err)
	}
	state := func(d *engine.Deployment) any { return d.Bound[0].Client(d.Bound[0].Plan.Upstreams[0]).State() }
	if state(first) != state(second) || state(second) == state(third) {
		t.Error("the state is not that of the same settings")
	}
	first.Close()
	fourth, err := bound(t, &opts, states)
	if err != nil {
		t.Fatal(err)
	}
	if state(fourth) != state(second) {
		t.Error("the state went with the deployment that had it first")
	}
	for _, d := range []*engine.Deployment{second, third, fourth} {
		d.Close()
	}
}

// TestBreakerInStatus: operators see how the breaker of an upstream stands.
func TestBreakerInStatus(t *testing.T) {
	s := serve(t, settings{options: func(o *deploy.Options) {
		withControl(o)
		o.Limits.Breaker = deploy.Breaker{Failures: 1, Window: 1, Pause: time.Hour}
		o.Limits.Retry.Attempts = 1
	}})
	at := s.control()
	says := func(state string) {
		t.Helper()
		if a := s.get(at, "/status"); !strings.Contains(a.body, `"breaker": "`+state+`"`) {
			t.Errorf("not %s: %s", state, a.body)
		}
	}
	says("closed")
	s.upstream.script(cuts)
	s.REST("GET /v1/interactions/" + interaction)
	says("open")
	if a := s.get(at, "/metrics"); !strings.Contains(a.body, `patchbay_upstream_breaker_state{upstream="flex-interactions"} 2`) {
		t.Error(a.body)
	}
}

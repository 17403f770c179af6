package engine_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"patchbay/internal/deploy"
	"patchbay/internal/secret"
)

// authority signs certificates.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB, name string) *authority {
	a := &authority{t: t}
	a.cert, a.key = a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

func (a *authority) sign(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

// server makes a certificate for this machine, client one for a name.
func (a *authority) server(name string) tls.Certificate {
	cert, key := a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

func (a *authority) client(name string) *tls.Certificate {
	cert, key := a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return &tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

// write puts PEM blocks into a file, with a date of its own: two writes within
// the grain of the file system's clock must differ.
func write(t testing.TB, path, kind string, age time.Duration, blocks ...[]byte) {
	t.Helper()
	var text []byte
	for _, b := range blocks {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b})...)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-age)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

// files writes a certificate and its key into a folder.
func writePair(t testing.TB, files *deploy.ServerTLS, c tls.Certificate, age time.Duration) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write(t, files.Certificate, "CERTIFICATE", age, c.Certificate...)
	write(t, files.Key, "PRIVATE KEY", age, key)
}

func serverFiles(t testing.TB) deploy.ServerTLS {
	dir := t.TempDir()
	return deploy.ServerTLS{Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
}

// secureClient trusts an authority and shows a certificate, where it has one. It
// keeps no connection, so that each request is a handshake.
func secureClient(t testing.TB, trusts *authority, shows *tls.Certificate, change func(*tls.Config)) *http.Client {
	pool := x509.NewCertPool()
	pool.AddCert(trusts.cert)
	config := &tls.Config{RootCAs: pool}
	if shows != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return shows, nil }
	}
	if change != nil {
		change(config)
	}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true, DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// get fetches an interaction, and returns the answer without its body.
func get(t testing.TB, c *http.Client, url string) (*http.Response, error) {
	t.Helper()
	answer, err := c.Get(url)
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return answer, nil
}

// TestTLS: listeners speak TLS 1.2 and later, HTTP/2 where the client does, say so
// in their addresses, and go on checking Host.
func TestTLS(t *testing.T) {
	ca := newAuthority(t, "ca")
	files := serverFiles(t)
	writePair(t, &files, ca.server("gateway"), 0)
	s := serve(t, settings{options: func(o *deploy.Options) { o.TLS = files }})
	url := "https://" + s.rest + "/v1/interactions/" + interaction
	answer, err := get(t, secureClient(t, ca, nil, nil), url)
	if err != nil || answer.StatusCode != http.StatusOK || answer.ProtoMajor != 2 {
		t.Fatalf("%+v %v", answer, err)
	}
	for name, version := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		if answer, err := get(t, secureClient(t, ca, nil, func(c *tls.Config) { c.MinVersion, c.MaxVersion = version, version }), url); err != nil || answer.StatusCode != http.StatusOK {
			t.Errorf("TLS %s: %v", name, err)
		}
	}
	if _, err := get(t, secureClient(t, ca, nil, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }), url); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	if _, err := get(t, secureClient(t, newAuthority(t, "another"), nil, nil), url); err == nil {
		t.Error("the test trusts anybody")
	}
	if a := s.REST("GET /v1/interactions/" + interaction + "\n"); a.status != http.StatusBadRequest {
		t.Errorf("plain HTTP: %s", a)
	}
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "evil.example"
	if answer, err = secureClient(t, ca, nil, nil).Do(r); err != nil || answer.StatusCode != http.StatusForbidden {
		t.Errorf("another host: %v %v", answer, err)
	}
	_ = answer.Body.Close()
	answer, err = secureClient(t, ca, nil, nil).Get("https://" + s.rest + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if !strings.Contains(string(body), `"url": "https://`+s.rest+`"`) {
		t.Error("the description does not say https")
	}
	if strings.Contains(s.log.String(), "changed certificates") {
		t.Error("files were read again that have not changed")
	}
}

// TestCertificatesAreReloaded: a changed pair is shown from the next handshake on;
// one that does not fit, or is not there, changes nothing.
func TestCertificatesAreReloaded(t *testing.T) {
	ca := newAuthority(t, "ca")
	files := serverFiles(t)
	first, second := ca.server("first"), ca.server("second")
	writePair(t, &files, first, 3*time.Hour)
	s := serve(t, settings{options: func(o *deploy.Options) { o.TLS = files }})
	shown := func() string {
		answer, err := get(t, secureClient(t, ca, nil, nil), "https://"+s.rest+"/v1/interactions/"+interaction)
		if err != nil {
			t.Fatal(err)
		}
		return answer.TLS.PeerCertificates[0].Subject.CommonName
	}
	if got := shown(); got != "first" {
		t.Errorf("at the start: %s", got)
	}
	write(t, files.Certificate, "CERTIFICATE", 2*time.Hour, second.Certificate...) // its key comes later
	if got := shown(); got != "first" || !strings.Contains(s.log.String(), "changed certificates cannot be used") {
		t.Errorf("half a change: %s", got)
	}
	writePair(t, &files, second, time.Hour)
	if got := shown(); got != "second" {
		t.Errorf("after a change: %s", got)
	}
	for _, damage := range []func(){
		func() { write(t, files.Certificate, "NONSENSE", 0, []byte("x")) },
		func() { _ = os.Remove(files.Certificate) },
		func() { _ = os.Remove(files.Key) },
	} {
		damage()
		if got := shown(); got != "second" {
			t.Errorf("damaged: %s", got)
		}
	}
	writePair(t, &files, first, 0)
	if got := shown(); got != "first" {
		t.Errorf("after it was repaired: %s", got)
	}
}

// TestClientCertificates: who shows a certificate of the authority is let in under
// the name that stands in it; nobody else gets as far as a request.
func TestClientCertificates(t *testing.T) {
	ca, clients, others := newAuthority(t, "ca"), newAuthority(t, "clients"), newAuthority(t, "clients")
	files := serverFiles(t)
	writePair(t, &files, ca.server("gateway"), 0)
	files.ClientCA = filepath.Join(filepath.Dir(files.Key), "clients.pem")
	write(t, files.ClientCA, "CERTIFICATE", 2*time.Hour, clients.cert.Raw)
	s := serve(t, settings{options: func(o *deploy.Options) {
		o.TLS = files
		credentials(o, "flex-interactions", false, map[string]deploy.Credential{"billing": {Username: secret.New("ACbilling"), Password: secret.New("b-secret")}})
		// The authority guards an adapter that others can reach.
		o.Listen["flex-interactions-rest"] = "0.0.0.0:0"
	}})
	_, port, err := net.SplitHostPort(s.rest)
	if err != nil {
		t.Fatal(err)
	}
	url := "https://127.0.0.1:" + port + "/v1/interactions/" + interaction
	billing := clients.client("billing")
	try := func(c *tls.Certificate, change func(*tls.Config)) string {
		answer, err := get(t, secureClient(t, ca, c, change), url)
		switch {
		case err != nil:
			return "-"
		case answer.StatusCode != http.StatusOK:
			return answer.Status
		}
		sent := s.upstream.take()
		_, signed, _ := strings.Cut(sent[0].String(), "Authorization: Basic <")
		signed, _, _ = strings.Cut(signed, ":")
		return signed
	}
	server := clients.server("billing")
	for name, test := range map[string]struct {
		shows  *tls.Certificate
		change func(*tls.Config)
		want   string
	}{
		"a caller with credentials of its own":         {billing, nil, "ACbilling"},
		"one without":                                  {clients.client("reports"), nil, upstreamUser},
		"over TLS 1.2":                                 {billing, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, "ACbilling"},
		"no certificate":                               {nil, nil, "-"},
		"of an authority of the same name":             {others.client("billing"), nil, "-"},
		"of the server's authority":                    {ca.client("billing"), nil, "-"},
		"a server's certificate":                       {&server, nil, "-"},
		"without a name":                               {clients.client(""), nil, "401 Unauthorized"},
		"with the name of an adapter":                  {clients.client("flex-interactions-mcp"), nil, "401 Unauthorized"},
		"a certificate and the key of another":         {&tls.Certificate{Certificate: billing.Certificate, PrivateKey: others.client("x").PrivateKey}, nil, "-"},
		"over TLS 1.2, of an authority of another key": {others.client("billing"), func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, "-"},
	} {
		if got := try(test.shows, test.change); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
	if !strings.Contains(s.log.String(), `"caller":"billing"`) {
		t.Error("the log does not say who called")
	}
	// A client of an authority that is no longer trusted cannot resume what it had.
	cache := tls.NewLRUClientSessionCache(8)
	resuming := func(c *tls.Config) { c.ClientSessionCache = cache }
	if got := try(billing, resuming); got != "ACbilling" {
		t.Errorf("before the change: %s", got)
	}
	write(t, files.ClientCA, "CERTIFICATE", time.Hour, others.cert.Raw)
	if got := try(billing, resuming); got != "-" {
		t.Errorf("after the change: %s", got)
	}
	if got := try(others.client("billing"), nil); got != "ACbilling" {
		t.Errorf("of the new authority: %s", got)
	}
}

// TestCertificateAndKey: where both are asked for, both are needed, and the key
// says who it is.
func TestCertificateAndKey(t *testing.T) {
	ca, clients := newAuthority(t, "ca"), newAuthority(t, "clients")
	files := serverFiles(t)
	writePair(t, &files, ca.server("gateway"), 0)
	files.ClientCA = filepath.Join(filepath.Dir(files.Key), "clients.pem")
	write(t, files.ClientCA, "CERTIFICATE", 0, clients.cert.Raw)
	s := serve(t, settings{options: guardAll(func(a *deploy.Adapter) { a.TLS = files })})
	for _, test := range []struct {
		shows *tls.Certificate
		door  string
		want  int // 0 for no answer
	}{
		{clients.client("host-1"), "cron-secret", http.StatusOK},
		{clients.client("host-1"), "wrong", http.StatusUnauthorized},
		{nil, "cron-secret", 0},
	} {
		r, err := http.NewRequest(http.MethodGet, "https://"+s.rest+"/v1/interactions/"+interaction, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Door", test.door)
		got := 0
		if answer, err := secureClient(t, ca, test.shows, nil).Do(r); err == nil {
			got = answer.StatusCode
			_ = answer.Body.Close()
		}
		if got != test.want {
			t.Errorf("%s: %d, want %d", test.door, got, test.want)
		}
	}
	if !strings.Contains(s.log.String(), `"caller":"cron"`) {
		t.Error("the log does not say whose key it was")
	}
}

// TestTLSIsRefused: files that are no good are said at the start.
func TestTLSIsRefused(t *testing.T) {
	ca := newAuthority(t, "ca")
	for name, test := range map[string]struct {
		damage func(*deploy.ServerTLS)
		says   string
	}{
		"no file": {func(f *deploy.ServerTLS) { f.Key += "x" }, "no such file"},
		"another's key": {func(f *deploy.ServerTLS) {
			other := serverFiles(t)
			writePair(t, &other, ca.server("other"), 0)
			f.Key = other.Key
		}, "private key does not match"},
		"an authority that is none": {func(f *deploy.ServerTLS) { f.ClientCA = f.Key }, "holds no certificate"},
	} {
		files := serverFiles(t)
		writePair(t, &files, ca.server("gateway"), 0)
		test.damage(&files)
		s := &site{t: t, upstream: newRecorder(t), log: &logBuffer{}, answers: &logBuffer{}}
		d, _, err := s.bind(settings{options: func(o *deploy.Options) { o.TLS = files }})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.engine.Start(d); err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "cannot speak TLS") {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.engine.Shutdown(0); err != nil {
			t.Error(err)
		}
	}
}

// TestSchemeIsTold: a collector is told of https where the listener speaks TLS, in
// traces and in metrics, and of http where it does not.
func TestSchemeIsTold(t *testing.T) {
	ca := newAuthority(t, "ca")
	files := serverFiles(t)
	writePair(t, &files, ca.server("gateway"), 0)
	for scheme, decide := range map[string]func(*deploy.Options){"https": func(o *deploy.Options) { o.TLS = files }, "http": func(*deploy.Options) {}} {
		t.Run(scheme, func(t *testing.T) {
			var got logBuffer
			collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				_, _ = fmt.Fprintf(&got, "%s %s\n", r.URL.Path, body)
				_, _ = io.WriteString(w, "{}")
			}))
			t.Cleanup(collector.Close)
			// Runs after the site's end, which sends what waits.
			t.Cleanup(func() {
				told := `{"key":"url.scheme","value":{"stringValue":"` + scheme + `"}}`
				for line := range strings.Lines(got.String()) {
					// Of a call upstream it is http in any case.
					at := strings.Index(line, `"/v1/interactions/{interactionsid}"`)
					if at < 0 || !strings.Contains(line[at:min(len(line), at+200)], told) {
						t.Errorf("no %s in %s", told, line)
					}
				}
				if n := strings.Count(got.String(), "\n"); n != 2 {
					t.Errorf("%d deliveries", n)
				}
			})
			s := serve(t, settings{options: func(o *deploy.Options) {
				decide(o)
				o.Telemetry.OTLP = collector.URL
			}})
			if answer, err := get(t, secureClient(t, ca, nil, nil), scheme+"://"+s.rest+"/v1/interactions/"+interaction); err != nil || answer.StatusCode != http.StatusOK {
				t.Errorf("%v %v", answer, err)
			}
		})
	}
}

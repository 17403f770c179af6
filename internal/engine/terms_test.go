package engine_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"patchbay/internal/bind"
	"patchbay/internal/deploy"
)

// keptClient keeps its connection. It speaks HTTP/2 where it may and the listener
// speaks TLS.
func keptClient(t *testing.T, trusts *authority, shows *tls.Certificate, http2 bool) *http.Client {
	pool := x509.NewCertPool()
	pool.AddCert(trusts.cert)
	config := &tls.Config{RootCAs: pool}
	if shows != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return shows, nil }
	}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: http2}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// TestReloadBindsOpenConnections: a reload that asks for more of connections asks it
// of those that are open, too. One that would not be let in today is refused and
// ends; one that would be answers a last time, where anything has changed at all.
// What is under way ends as it began.
func TestReloadBindsOpenConnections(t *testing.T) {
	ca, clients, others := newAuthority(t, "ca"), newAuthority(t, "clients"), newAuthority(t, "clients")
	shown := serverFiles(t)
	writePair(t, &shown, ca.server("gateway"), time.Hour)
	renewed := serverFiles(t)
	writePair(t, &renewed, ca.server("renewed"), time.Hour)
	accepting := func(name string, by ...*authority) deploy.ServerTLS {
		files := shown
		files.ClientCA = filepath.Join(filepath.Dir(files.Key), name+".pem")
		var blocks [][]byte
		for _, a := range by {
			blocks = append(blocks, a.cert.Raw)
		}
		write(t, files.ClientCA, "CERTIFICATE", time.Hour, blocks...)
		return files
	}
	mine, theirs, both := accepting("mine", clients), accepting("theirs", others), accepting("both", others, clients)
	renewedMine := renewed
	renewedMine.ClientCA = mine.ClientCA
	plain := deploy.ServerTLS{}
	const goesOn, last, refused = "goes on", "last", "refused"
	for _, test := range []struct {
		name         string
		before, then deploy.ServerTLS
		want         string
	}{
		{"plain HTTP, then TLS with clients' certificates", plain, mine, refused},
		{"plain HTTP, then TLS", plain, shown, refused},
		{"TLS, then with clients' certificates", shown, mine, refused},
		{"other authorities", mine, theirs, refused},
		{"one more authority", mine, both, last},
		{"one authority less", both, mine, last},
		{"one authority less, its own", both, theirs, refused},
		{"no authority", mine, shown, last},
		{"a renewed certificate", mine, renewedMine, last},
		{"TLS, then plain HTTP", mine, plain, last},
		{"nothing but the version", mine, mine, goesOn},
		{"nothing but the version, TLS", shown, shown, goesOn},
		{"nothing but the version, plain HTTP", plain, plain, goesOn},
	} {
		for _, major := range []int{1, 2} {
			if major == 2 && test.before == plain {
				continue
			}
			t.Run(fmt.Sprintf("%s, HTTP %d", test.name, major), func(t *testing.T) {
				files := test.before
				// Where there are certificates throughout, they are enough.
				set := func(o *deploy.Options, _ *bind.Options) {
					a := deploy.Adapter{TLS: files}
					if test.before.ClientCA == "" || test.then.ClientCA == "" {
						a.Auth = keys()
					}
					o.AdapterSettings = map[string]deploy.Adapter{"": a}
				}
				c := newChanging(t)
				c.change = set
				c.reload()
				client := keptClient(t, ca, clients.client("billing"), major == 2)
				scheme := func(files deploy.ServerTLS) string {
					if files == plain {
						return "http://"
					}
					return "https://"
				}
				ask := func(client *http.Client, scheme, id string) (connection, error) {
					return over(client, request(t, "GET", scheme+*c.rest.Load()+"/things/"+id, "", "X-Door", "cron-secret"))
				}
				if got, err := ask(client, scheme(files), "a"); err != nil || got.status != http.StatusOK || got.major != major || got.last {
					t.Fatalf("before: %s, %v", got, err)
				}
				slow := make(chan error, 1)
				go func() {
					// On a connection of its own, but for HTTP/2.
					got, err := ask(client, scheme(test.before), "held")
					if err == nil && got.status != http.StatusOK {
						err = fmt.Errorf("%s", got)
					}
					slow <- err
				}()
				end := <-c.held
				if major == 1 { // that request took the only one
					if got, err := ask(client, scheme(files), "a"); err != nil || got.status != http.StatusOK {
						t.Fatalf("before: %s, %v", got, err)
					}
				}
				files = test.then
				c.reload()

				got, err := ask(client, scheme(test.before), "a")
				status := http.StatusOK
				if test.want == refused {
					status = http.StatusMisdirectedRequest
				}
				if err != nil || !got.reused || got.status != status || major == 1 && got.last != (test.want != goesOn) {
					t.Errorf("after: %s, %v; want %s, %s", got, err, test.want, got.body)
				}
				if test.want == refused && (!strings.Contains(got.body, "#misdirected") || !strings.Contains(got.body, "open another one")) {
					t.Errorf("it says %s", got.body)
				}
				close(end)
				if err := <-slow; err != nil {
					t.Errorf("under way: %v", err)
				}
				if test.want == goesOn {
					for range 2 {
						if got, err := ask(client, scheme(files), "a"); err != nil || !got.reused || got.last || got.status != http.StatusOK {
							t.Errorf("later: %s, %v", got, err)
						}
					}
					return
				}
				if major == 2 {
					// The client has read the answer, and the GOAWAY a moment before or after it.
					eventually(t, "requests go over another connection", func() (string, bool) {
						got, err := ask(client, scheme(test.before), "a")
						if err == nil && got.reused && got.status != status {
							t.Errorf("on the old connection: %s", got)
						}
						return fmt.Sprint(got, err), err != nil || !got.reused
					})
				}
				// Who does what is asked for now is let in.
				good := clients.client("billing")
				if test.then == theirs {
					good = others.client("billing")
				}
				if got, err := ask(keptClient(t, ca, good, major == 2), scheme(files), "a"); err != nil || got.status != http.StatusOK || got.last {
					t.Errorf("on a new connection: %s, %v", got, err)
				}
			})
		}
	}
}

// TestChangedAuthoritiesBindOpenConnections: from the handshake that reads changed
// files on, connections from before are held to what they say.
func TestChangedAuthoritiesBindOpenConnections(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		ca, clients, others := newAuthority(t, "ca"), newAuthority(t, "clients"), newAuthority(t, "clients")
		files := serverFiles(t)
		writePair(t, &files, ca.server("gateway"), 0)
		files.ClientCA = filepath.Join(filepath.Dir(files.Key), "clients.pem")
		write(t, files.ClientCA, "CERTIFICATE", 2*time.Hour, clients.cert.Raw)
		s := serve(t, settings{options: func(o *deploy.Options) { o.TLS = files }})
		client := keptClient(t, ca, clients.client("billing"), http2)
		url := "https://" + s.rest + "/v1/interactions/" + interaction
		want := func(when string, client *http.Client, status int, reused, last bool) {
			t.Helper()
			got, err := over(client, request(t, "GET", url, ""))
			if err != nil || got.status != status || got.reused != reused || !http2 && got.last != last {
				t.Errorf("%s: %s, %v; want %d", when, got, err, status)
			}
		}
		want("at first", client, http.StatusOK, false, false)
		want("again", client, http.StatusOK, true, false)
		// Another date and the same authority change nothing.
		write(t, files.ClientCA, "CERTIFICATE", time.Hour, clients.cert.Raw)
		want("a handshake", keptClient(t, ca, clients.client("reports"), http2), http.StatusOK, false, false)
		want("the same authority", client, http.StatusOK, true, false)
		write(t, files.ClientCA, "CERTIFICATE", 0, others.cert.Raw)
		want("a handshake with the other authority", keptClient(t, ca, others.client("billing"), http2), http.StatusOK, false, false)
		want("the other authority", client, http.StatusMisdirectedRequest, true, true)
		if !strings.Contains(s.log.String(), `"fault":"misdirected"`) {
			t.Errorf("the log does not say it: %s", s.log)
		}
	}
}

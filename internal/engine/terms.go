package engine

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"slices"

	"patchbay/internal/fault"
	"patchbay/internal/problem"
	"patchbay/internal/telemetry"
)

// connKey is where a request's context has the connection that it came over.
type connKey struct{}

// terms are what a connection has to be opened under to be like a new one; nil
// is plain HTTP.
func (f *face) terms() *tls.Config {
	if f.certificates == nil {
		return nil
	}
	return f.certificates.config.Load()
}

// keeps decides about a request over a connection that was opened under other
// terms than those of its face. It goes on where these say the same; it answers a
// last time where a new one would be let in just so; otherwise it is refused here.
func (l *listener) keeps(conn *placedConn, f *face, w http.ResponseWriter, r *http.Request) bool {
	then, now := conn.terms.Load(), f.terms()
	if sameTerms(then, now) {
		// From now on one comparison tells. Another request of the connection may
		// have put something newer there, which is then compared once more.
		conn.terms.CompareAndSwap(then, now)
		return true
	}
	// HTTP/2 makes a GOAWAY of it.
	w.Header()["Connection"] = []string{"close"}
	why := ""
	switch {
	case now == nil:
	case then == nil:
		why = "this connection was opened before the listener began to speak TLS; open another one"
	case now.ClientCAs != nil && !vouched(now.ClientCAs, r.TLS):
		why = "this connection was opened before the listener changed whose certificates it accepts; open another one"
	}
	if why == "" {
		return true
	}
	told := &telemetry.Access{Protocol: "guard", RequestID: l.engine.ids.Next(), Fault: fault.New(fault.Misdirected, "%s", why)}
	told.Status = problem.Write(w, told.Fault, told.RequestID)
	l.engine.answered(r, told)
	return false
}

// sameTerms reports whether two configurations show and ask for the same. They are
// made anew with each reload.
func sameTerms(a, b *tls.Config) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.ClientCAs.Equal(b.ClientCAs) &&
		slices.EqualFunc(a.Certificates, b.Certificates, func(a, b tls.Certificate) bool {
			return slices.EqualFunc(a.Certificate, b.Certificate, bytes.Equal)
		})
}

// vouched reports whether a handshake with these authorities would accept the
// certificate that was shown in an earlier one. Who holds its key was proven then.
func vouched(by *x509.CertPool, state *tls.ConnectionState) bool {
	if state == nil || len(state.PeerCertificates) == 0 {
		return false
	}
	between := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		between.AddCert(c)
	}
	_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{
		Roots: by, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err == nil
}

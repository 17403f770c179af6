package engine

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"patchbay/internal/deploy"
	"patchbay/internal/upstream"
)

// upstreamOptions are an operator's settings as a client wants them. Files of
// certificates are read here, once for each deployment.
func upstreamOptions(namespace string, s *deploy.Upstream, version string) (upstream.Options, error) {
	out := upstream.Options{
		Connect: s.Connect, Header: s.Header, Total: s.Total, MaxBody: s.MaxResponse, MaxConcurrent: s.MaxConcurrent, MaxQueue: s.MaxQueue,
		Retry: upstream.Retry(s.Retry), Breaker: upstream.Breaker(s.Breaker), Rate: upstream.Rate(s.Rate), Proxy: s.Proxy, UserAgent: "patchbay/" + version,
		NoTrace: s.Propagate == "none", NoBaggage: s.Propagate == "trace",
	}
	var err error
	if out.TLS, err = clientTLS(&s.TLS); err != nil {
		return out, fmt.Errorf("upstream %s: %w", namespace, err)
	}
	return out, nil
}

// clientTLS reads what an upstream is met with; nil where the operator says nothing.
func clientTLS(s *deploy.ClientTLS) (*tls.Config, error) {
	if *s == (deploy.ClientTLS{}) {
		return nil, nil
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.ServerName}
	if s.CA != "" {
		pem, err := read(s.CA)
		if err != nil {
			return nil, fmt.Errorf("authorities: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM", s.CA)
		}
	}
	if (s.Certificate == "") != (s.Key == "") {
		return nil, fmt.Errorf("a client certificate needs both its certificate and its key")
	}
	if s.Certificate != "" {
		certificate, err := read(s.Certificate)
		if err != nil {
			return nil, fmt.Errorf("certificate: %w", err)
		}
		key, err := read(s.Key)
		if err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
		pair, err := tls.X509KeyPair(certificate, key)
		if err != nil {
			return nil, fmt.Errorf("%s and %s: %w", s.Certificate, s.Key, err)
		}
		out.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}

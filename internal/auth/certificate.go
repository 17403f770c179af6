package auth

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"unicode"
	"unicode/utf8"
)

// certified returns who showed a certificate that the listener has verified; nil
// where none was shown, or one without a name.
func certified(state *tls.ConnectionState) *Caller {
	if state == nil || len(state.VerifiedChains) == 0 || len(state.PeerCertificates) == 0 {
		return nil
	}
	name := subject(state.PeerCertificates[0])
	if !isCallerName(name) {
		return nil
	}
	return &Caller{Name: name}
}

// subject is the name of a certificate's owner: the common name, else the first
// URI (as SPIFFE has it), DNS name or mail address.
func subject(c *x509.Certificate) string {
	switch {
	case c.Subject.CommonName != "":
		return c.Subject.CommonName
	case len(c.URIs) > 0:
		return c.URIs[0].String()
	case len(c.DNSNames) > 0:
		return c.DNSNames[0]
	case len(c.EmailAddresses) > 0:
		return c.EmailAddresses[0]
	default:
		return ""
	}
}

// thumbprint is how a token names the certificate that it is bound to
// (RFC 8705 section 3.1), "" without one.
func thumbprint(state *tls.ConnectionState) string {
	if state == nil || len(state.PeerCertificates) == 0 {
		return ""
	}
	sum := sha256.Sum256(state.PeerCertificates[0].Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// maxCallerName bounds names that others choose, in bytes.
const maxCallerName = 256

// isCallerName reports whether a name that somebody else chose can stand in logs
// and tables.
func isCallerName(s string) bool {
	if s == "" || len(s) > maxCallerName || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return false
		}
	}
	return true
}

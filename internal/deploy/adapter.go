package deploy

import (
	"cmp"
	"errors"
	"time"

	"patchbay/internal/secret"
)

// Adapter is what an operator decides about one adapter. Zero fields take the
// value of the settings for all ("") and then what the file says, see [Options.Adapter].
type Adapter struct {
	// Listen is host:port, Mount the path under which routes stand.
	Listen, Mount string
	TLS           ServerTLS
	// Auth replaces the file's own authentication.
	Auth *Auth
	CORS CORS
	// MaxBody bounds a request's body, in bytes.
	MaxBody int64
	// Rate bounds the requests of one caller: a named one, or an address.
	Rate Rate
	// ReadOnly, Tools and Tags bound the tools of an MCP adapter, MaxResult a
	// result, in bytes; a negative one is no bound.
	ReadOnly    bool
	Tools, Tags []string
	MaxResult   int
}

// ServerTLS makes a listener speak TLS, 1.2 or later. The files are read again when
// they change.
type ServerTLS struct {
	// Certificate and Key are PEM files; both empty is plain HTTP.
	Certificate, Key string
	// ClientCA is a PEM file of authorities; with it, clients have to show a
	// certificate of one of them, whose subject is the caller's name. That is
	// enough to be let in where nothing else is asked for, and necessary
	// everywhere.
	ClientCA string
}

// On reports whether the listener speaks TLS.
func (t *ServerTLS) On() bool { return *t != ServerTLS{} }

// Check reports what is missing.
func (t *ServerTLS) Check() error {
	if t.On() && (t.Certificate == "" || t.Key == "") {
		return errors.New("TLS needs a certificate and its key")
	}
	return nil
}

// Auth says who may call. A caller that any of the keys or the tokens admits is let in.
type Auth struct {
	// Keys are named callers with a secret of their own.
	Keys []Key
	// JWT admits bearer tokens of an authorization server.
	JWT *JWT
}

// Key is one named caller. A caller may have several, so that its secret can be
// changed while both are let in.
type Key struct {
	// Name is what logs, audit lines and bindings call the caller.
	Name string
	// Scheme is basic, bearer or apikey.
	Scheme string
	// Username and Password belong to basic; Token to bearer; Header (or Query)
	// and Value to apikey.
	Username      string
	Header, Query string
	Secret        secret.Value
}

// JWT is an OAuth 2.1 resource server's idea of a good token (RFC 9068, RFC 8725).
type JWT struct {
	// Issuer is compared exactly, Audience has to be among the token's.
	Issuer, Audience string
	// JWKS is the address of the keys; "" takes it from the issuer's metadata.
	JWKS string
	// Resource is the address under which clients know the adapter, such as
	// https://gateway.example/mcp; "" takes Audience where that is an address, and
	// otherwise the listener's own.
	Resource string
	// Algorithms are the only ones that are accepted; none means RS256, PS256,
	// ES256 and EdDSA.
	Algorithms []string
	// Scopes are needed for every call, OperationScopes besides for an operation,
	// tool or resource by its name. ScopeIncludes says which scopes a broader one
	// has in it.
	Scopes          []string
	OperationScopes map[string][]string
	ScopeIncludes   map[string][]string
	// Caller is the claim that names the caller; "" is sub. Users must not be able
	// to choose its value.
	Caller string
	// Leeway is the difference of clocks that is forgiven, up to 5 minutes.
	Leeway time.Duration
}

// CORS lets pages of other origins read answers.
type CORS struct {
	// Origins may call; none may unless listed. They are also allowed past the
	// check of origins.
	Origins []string
	// MaxAge is how long browsers may remember a preflight.
	MaxAge time.Duration
}

// Adapter returns what holds for an exposed namespace: what is set for it, then
// for all. Where it listens and is mounted is only ever set for one.
func (o *Options) Adapter(namespace string) Adapter {
	a, all := o.AdapterSettings[namespace], o.AdapterSettings[""]
	a.Listen, a.Mount = cmp.Or(o.Listen[namespace], a.Listen), cmp.Or(o.Mounts[namespace], a.Mount)
	if a.Mount == "" && o.MountAll {
		a.Mount = "/" + namespace
	}
	a.TLS, a.Auth = cmp.Or(a.TLS, all.TLS, o.TLS), cmp.Or(a.Auth, all.Auth)
	if a.CORS.Origins == nil {
		a.CORS = all.CORS
	}
	a.MaxBody, a.Rate, a.MaxResult = cmp.Or(a.MaxBody, all.MaxBody, o.Limits.MaxBody), cmp.Or(a.Rate, all.Rate), max(0, cmp.Or(a.MaxResult, all.MaxResult, o.MaxResult))
	a.ReadOnly = a.ReadOnly || all.ReadOnly || o.ReadOnly
	if a.Tools == nil && a.Tags == nil {
		a.Tools, a.Tags = all.Tools, all.Tags
	}
	if a.Tools == nil && a.Tags == nil {
		a.Tools, a.Tags = o.Tools, o.Tags
	}
	return a
}

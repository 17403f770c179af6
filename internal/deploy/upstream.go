package deploy

import (
	"cmp"
	"time"

	"patchbay/internal/secret"
)

// Upstream is what an operator decides about one consumed API. Zero fields take
// the value of the settings for all ("") and then the default, see [Options.Upstream].
type Upstream struct {
	// BaseURL replaces the whole base address of the file.
	BaseURL string
	// Connect, Header and Total bound the phases of a call; see Limits.
	Connect, Header, Total time.Duration
	// MaxResponse bounds an answer, in bytes after decompression.
	MaxResponse int64
	// MaxConcurrent bounds calls under way at once, MaxQueue those that wait for
	// their turn; a negative one lets none wait.
	MaxConcurrent, MaxQueue int
	// Checks is enforce, warn or off, BodyType form or json.
	Checks, BodyType string
	Retry            Retry
	Breaker          Breaker
	// Rate bounds the calls that are sent.
	Rate Rate
	// Proxy is the address of a proxy; "" takes the environment's, "none" none.
	Proxy string
	TLS   ClientTLS
	// Propagate says what of a caller's trace goes on to the provider: all, which
	// is the default, trace for all but the baggage, or none.
	Propagate string
	// Credentials replaces the secrets with which the file signs calls, for one
	// caller each, by the caller's name. CredentialsOnly refuses callers who have
	// none, and leaves the file's secrets unused.
	Credentials     map[string]Credential
	CredentialsOnly bool
}

// Retry says how often and how soon a call is made again. Only calls that cannot
// double an effect are.
type Retry struct {
	// Attempts is how many calls are made at most, the first one included; 0 is
	// the default, 1 none but the first.
	Attempts int
	// Base is the first pause, which doubles up to Max; both are spread by chance.
	// Max is also the longest Retry-After that is waited for.
	Base, Max time.Duration
}

// Breaker says when an upstream is left alone for a while.
type Breaker struct {
	// Failures of Window calls open it; 0 is the default, a negative number never.
	Failures, Window int
	// Pause is how long it stays open before a call tries again.
	Pause time.Duration
}

// Rate is a token bucket; a PerSecond of 0 is no bound.
type Rate struct {
	PerSecond float64
	Burst     int
}

// ClientTLS is how an upstream is met over TLS.
type ClientTLS struct {
	// CA is a PEM file of the authorities that are trusted in place of the
	// system's. Certificate and Key are PEM files of the client's own.
	CA, Certificate, Key string
	// ServerName replaces the host's name in the check of the certificate.
	ServerName string
}

// Credential is what signs calls; which fields count is the scheme's affair, which
// the file decides. Where the file takes a field from a variable, the variable has
// this value everywhere in calls of that caller; Variables does the same for others
// by name, such as one that the path has.
type Credential struct {
	Username, Password, Token, Value secret.Value
	Variables                        map[string]secret.Value
}

// Upstream returns what holds for a consumed namespace: what is set for it,
// then for all.
func (o *Options) Upstream(namespace string) Upstream {
	u, all := o.UpstreamSettings[namespace], o.UpstreamSettings[""]
	u.BaseURL = cmp.Or(o.Upstreams[namespace], u.BaseURL)
	u.Connect, u.Header = cmp.Or(u.Connect, all.Connect, o.Limits.Connect), cmp.Or(u.Header, all.Header, o.Limits.Header)
	u.Total = cmp.Or(u.Total, all.Total, o.Limits.Total)
	u.MaxResponse = cmp.Or(u.MaxResponse, all.MaxResponse, o.Limits.MaxResponse)
	u.MaxConcurrent = cmp.Or(u.MaxConcurrent, all.MaxConcurrent, o.Limits.MaxConcurrent)
	u.MaxQueue = max(0, cmp.Or(u.MaxQueue, all.MaxQueue, o.Limits.MaxQueue))
	u.Checks = cmp.Or(o.Checks[namespace], u.Checks, o.Checks[""], all.Checks)
	u.BodyType = cmp.Or(o.BodyTypes[namespace], u.BodyType, o.BodyTypes[""], all.BodyType)
	u.Retry, u.Breaker = u.Retry.or(all.Retry).or(o.Limits.Retry), u.Breaker.or(all.Breaker).or(o.Limits.Breaker)
	u.Rate = cmp.Or(u.Rate, all.Rate)
	if u.Credentials == nil {
		u.Credentials = all.Credentials
	}
	u.CredentialsOnly = u.CredentialsOnly || all.CredentialsOnly
	u.Propagate = cmp.Or(u.Propagate, all.Propagate)
	u.Proxy, u.TLS = cmp.Or(u.Proxy, all.Proxy), cmp.Or(u.TLS, all.TLS)
	if o.Sandbox.Enabled {
		u.Proxy, u.TLS = "none", ClientTLS{} // the simulator is on this machine, and nobody else may hear of it
	}
	return u
}

func (r Retry) or(other Retry) Retry {
	return Retry{Attempts: cmp.Or(r.Attempts, other.Attempts), Base: cmp.Or(r.Base, other.Base), Max: cmp.Or(r.Max, other.Max)}
}

func (b Breaker) or(other Breaker) Breaker {
	return Breaker{Failures: cmp.Or(b.Failures, other.Failures), Window: cmp.Or(b.Window, other.Window), Pause: cmp.Or(b.Pause, other.Pause)}
}

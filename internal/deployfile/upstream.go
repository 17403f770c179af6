package deployfile

import (
	"time"

	"patchbay/internal/deploy"
	"patchbay/internal/secret"
)

type (
	dur = time.Duration
	up  = deploy.Upstream
)

// upstreamShape is one consumed API, or what holds for all of them.
func upstreamShape(general bool) *shape[up] {
	s := &shape[up]{
		id: "upstream", title: "an upstream",
		doc: "One consumed API, by the namespace under which the capability consumes it.",
		fields: []field[up]{
			{info{key: "baseUrl", flag: "upstream", def: "the file's", doc: "The address that replaces the whole base address of the capability."}, text(httpAddress(), func(u *up) *string { return &u.BaseURL })},
			{info{key: "credentials", doc: "By the name of a caller, the secrets with which its calls are signed, in place of the capability's. Callers without stay with those of the capability."}, named(credentialShape(), callerName(), func(u *up) *map[string]deploy.Credential { return &u.Credentials })},
			{info{key: "credentialsOnly", def: "false", doc: "Whether callers that have no entry under `credentials` are refused. The capability's own secrets are not needed then."}, boolean(func(u *up) *bool { return &u.CredentialsOnly })},
		},
	}
	if general {
		s = &shape[up]{id: "all-upstreams", title: "what holds for all upstreams", doc: "What holds for every upstream that has no value of its own."}
	}
	s.fields = append(s.fields, []field[up]{
		{info{key: "timeouts", doc: "How long the phases of a call may take."}, mapping(timeoutsShape(), func(u *up) *up { return u })},
		{info{key: "maxResponse", flag: "max-response", def: "10MiB", doc: "The largest answer that is taken, after decompression."}, size("", 0, func(u *up) *int64 { return &u.MaxResponse })},
		{info{key: "concurrency", doc: "How many calls are under way at once."}, mapping(concurrencyShape(), func(u *up) *up { return u })},
		{info{key: "retry", doc: "How often a call is made again. Only calls that cannot double an effect are."}, mapping(retryShape(), func(u *up) *deploy.Retry { return &u.Retry })},
		{info{key: "breaker", doc: "When an upstream that fails is left alone for a while."}, mapping(breakerShape(), func(u *up) *deploy.Breaker { return &u.Breaker })},
		{info{key: "rate", doc: "How many calls are sent."}, mapping(rateShape(), func(u *up) *deploy.Rate { return &u.Rate })},
		{info{key: "proxy", def: "the environment's", doc: "The proxy through which calls go; `none` for none."}, text(proxyAddress(), func(u *up) *string { return &u.Proxy })},
		{info{key: "tls", doc: "How the upstream is met over TLS."}, mapping(clientTLSShape(), func(u *up) *deploy.ClientTLS { return &u.TLS })},
		{info{key: "requestChecks", flag: "request-checks", def: "enforce", doc: "What a broken rule of a contract does."}, word([]string{"enforce", "warn", "off"}, func(u *up) *string { return &u.Checks })},
		{info{key: "bodyType", flag: "body-type", doc: "How bodies are encoded where neither the capability nor a contract says."}, word([]string{"form", "json"}, func(u *up) *string { return &u.BodyType })},
		{info{key: "propagate", def: "all", doc: "What of a caller's trace context goes on: `trace` is all but the baggage."}, word([]string{"all", "trace", "none"}, func(u *up) *string { return &u.Propagate })},
	}...)
	return s
}

func timeoutsShape() *shape[up] {
	return &shape[up]{
		id: "timeouts", title: "timeouts",
		fields: []field[up]{
			{info{key: "connect", flag: "connect-timeout", def: "5s", doc: "Time to connect, and again for the TLS handshake."}, duration(false, func(u *up) *dur { return &u.Connect })},
			{info{key: "header", flag: "header-timeout", def: "30s", doc: "Time until the answer begins."}, duration(false, func(u *up) *dur { return &u.Header })},
			{info{key: "total", flag: "timeout", def: "60s", doc: "Time for a whole call. What `\"*\"` says also bounds all the steps of an operation together."}, duration(false, func(u *up) *dur { return &u.Total })},
		},
	}
}

func concurrencyShape() *shape[up] {
	return &shape[up]{
		id: "concurrency", title: "concurrency",
		fields: []field[up]{
			{info{key: "max", flag: "max-concurrent", def: "256", doc: "Calls under way at once."}, integer(1, 100_000, "", 0, func(u *up) *int { return &u.MaxConcurrent })},
			{info{key: "queue", flag: "max-queue", def: "1024", doc: "Calls that may wait for their turn; the next one is refused at once."}, integer(1, 1_000_000, "none", -1, func(u *up) *int { return &u.MaxQueue })},
		},
	}
}

func retryShape() *shape[deploy.Retry] {
	type retry = deploy.Retry
	return &shape[retry]{
		id: "retry", title: "retry",
		fields: []field[retry]{
			{info{key: "attempts", flag: "retries", def: "3", doc: "Calls that are made at most, the first one included; 1 is no retry. The flag counts without the first."}, integer(1, 10, "", 0, func(v *retry) *int { return &v.Attempts })},
			{info{key: "base", def: "200ms", doc: "The first pause. It doubles with each retry and is spread by chance."}, duration(false, func(v *retry) *dur { return &v.Base })},
			{info{key: "max", def: "5s", doc: "The longest pause, and the longest `Retry-After` that is waited for."}, duration(false, func(v *retry) *dur { return &v.Max })},
		},
	}
}

func breakerShape() *shape[deploy.Breaker] {
	type breaker = deploy.Breaker
	return &shape[breaker]{
		id: "breaker", title: "a breaker",
		fields: []field[breaker]{
			{info{key: "failures", flag: "no-breaker", def: "10", doc: "How many of the last `window` calls have to fail; `never` keeps the upstream in use."}, integer(1, 100_000, "never", -1, func(v *breaker) *int { return &v.Failures })},
			{info{key: "window", def: "20", doc: "How many of the last calls count."}, integer(1, 100_000, "", 0, func(v *breaker) *int { return &v.Window })},
			{info{key: "pause", def: "5s", doc: "How long nothing is sent before a call tries again."}, duration(false, func(v *breaker) *dur { return &v.Pause })},
		},
	}
}

func rateShape() *shape[deploy.Rate] {
	type rate = deploy.Rate
	return &shape[rate]{
		id: "rate", title: "a rate",
		fields: []field[rate]{
			{info{key: "perSecond", need: true, doc: "How many in a second, in the long run; 0.1 is one in ten seconds."}, number(0.001, 1_000_000, func(v *rate) *float64 { return &v.PerSecond })},
			{info{key: "burst", doc: "How many at once after a quiet time."}, integer(1, 1_000_000, "", 0, func(v *rate) *int { return &v.Burst })},
		},
	}
}

func clientTLSShape() *shape[deploy.ClientTLS] {
	type tls = deploy.ClientTLS
	return &shape[tls]{
		id: "upstream-tls", title: "the TLS of an upstream",
		fields: []field[tls]{
			{info{key: "ca", def: "the system's", doc: "The PEM file of the authorities that are trusted."}, text(servedPath(), func(v *tls) *string { return &v.CA })},
			{info{key: "certificate", doc: "The PEM file of the client's certificate."}, text(servedPath(), func(v *tls) *string { return &v.Certificate })},
			{info{key: "key", doc: "The PEM file of its key."}, text(servedPath(), func(v *tls) *string { return &v.Key })},
			{info{key: "serverName", def: "the host", doc: "The name that the upstream's certificate has to have."}, text(plain(), func(v *tls) *string { return &v.ServerName })},
		},
		rules: pair(),
	}
}

// pair are the rules of a certificate with its key.
func pair() []rule {
	return []rule{
		{key: "certificate", need: []string{"key"}, why: "a certificate is of no use without its key"},
		{key: "key", need: []string{"certificate"}, why: "a key is of no use without its certificate"},
	}
}

func credentialShape() *shape[deploy.Credential] {
	type credential = deploy.Credential
	return &shape[credential]{
		id: "credential", title: "a credential", secretive: true,
		doc: "What signs the calls of one caller. Which keys count is decided by the scheme of the capability.",
		fields: []field[credential]{
			{info{key: "username", doc: "The user of `basic`."}, secretOf(func(v *credential) *secret.Value { return &v.Username })},
			{info{key: "password", doc: "The password of `basic`."}, secretOf(func(v *credential) *secret.Value { return &v.Password })},
			{info{key: "token", doc: "The token of `bearer`."}, secretOf(func(v *credential) *secret.Value { return &v.Token })},
			{info{key: "value", doc: "The value of `apikey`."}, secretOf(func(v *credential) *secret.Value { return &v.Value })},
			{info{key: "variables", doc: "Values of variables of the capability in calls of this caller, such as one that stands in a path."}, secretByName(variableName(), func(v *credential) *map[string]secret.Value { return &v.Variables })},
		},
		rules: []rule{
			{need: []string{"username", "token", "value", "variables"}, why: "without a secret, nothing can be signed"},
			{key: "username", need: []string{"password"}, why: "basic takes both"},
			{key: "password", need: []string{"username"}, why: "basic takes both"},
		},
	}
}

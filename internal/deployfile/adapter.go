package deployfile

import (
	"patchbay/internal/deploy"
	"patchbay/internal/secret"
)

type ad = deploy.Adapter

// adapterShape is one adapter, or what holds for all of them.
func adapterShape(general bool) *shape[ad] {
	s := &shape[ad]{
		id: "adapter", title: "an adapter",
		doc: "One adapter, by the namespace under which the capability exposes it.",
		fields: []field[ad]{
			{info{key: "listen", flag: "listen", def: "the file's port, on loopback", doc: "Where it listens, as `HOST:PORT`. Adapters of one type and address are one server."}, text(hostPort(), func(a *ad) *string { return &a.Listen })},
			{info{key: "mount", flag: "mount", doc: "The path under which the routes of a REST adapter stand."}, text(mountPath(), func(a *ad) *string { return &a.Mount })},
		},
	}
	if general {
		s = &shape[ad]{id: "all-adapters", title: "what holds for all adapters", doc: "What holds for every adapter that has no value of its own."}
	}
	s.fields = append(s.fields, []field[ad]{
		{info{key: "tls", doc: "With which certificate the listener speaks TLS. Adapters that share an address have the same."}, mapping(serverTLSShape(), func(a *ad) *deploy.ServerTLS { return &a.TLS })},
		{info{key: "auth", doc: "Who may call; in place of the capability's own authentication."}, pointed(authShape(), func(a *ad) **deploy.Auth { return &a.Auth })},
		{info{key: "cors", doc: "Which pages of other origins may call."}, mapping(corsShape(), func(a *ad) *deploy.CORS { return &a.CORS })},
		{info{key: "maxBody", flag: "max-body", def: "1MiB", doc: "The largest body of a request. An address that adapters share takes the largest of theirs."}, size("", 0, func(a *ad) *int64 { return &a.MaxBody })},
		{info{key: "rate", doc: "How many requests one caller may make."}, mapping(rateShape(), func(a *ad) *deploy.Rate { return &a.Rate })},
		{info{key: "readOnly", flag: "read-only", def: "false", doc: "Whether only tools are offered whose upstream methods change nothing. Where `\"*\"` says so, no adapter can offer more."}, boolean(func(a *ad) *bool { return &a.ReadOnly })},
		{info{key: "tools", flag: "tool", def: "all", doc: "The tools that are offered, by name."}, texts(plain(), func(a *ad) *[]string { return &a.Tools })},
		{info{key: "tags", flag: "tag", def: "all", doc: "The tools that are offered, by tag, besides those by name."}, texts(plain(), func(a *ad) *[]string { return &a.Tags })},
		{info{key: "maxResult", flag: "max-result", def: "64KiB", doc: "The largest result of a tool; longer lists are cut. `none` cuts nothing."}, size("none", -1, func(a *ad) *int { return &a.MaxResult })},
	}...)
	return s
}

func serverTLSShape() *shape[deploy.ServerTLS] {
	type tls = deploy.ServerTLS
	return &shape[tls]{
		id: "listener-tls", title: "the TLS of a listener",
		fields: []field[tls]{
			{info{key: "certificate", flag: "tls-cert", need: true, doc: "The PEM file of the certificate, with those between it and its authority."}, text(servedPath(), func(v *tls) *string { return &v.Certificate })},
			{info{key: "key", flag: "tls-key", need: true, doc: "The PEM file of its key."}, text(servedPath(), func(v *tls) *string { return &v.Key })},
			{info{key: "clientCa", flag: "client-ca", doc: "The PEM file of authorities. With it, a client has to show a certificate of one of them."}, text(servedPath(), func(v *tls) *string { return &v.ClientCA })},
		},
	}
}

func authShape() *shape[deploy.Auth] {
	type auth = deploy.Auth
	return &shape[auth]{
		id: "auth", title: "auth",
		doc: "Who may call. A caller that any of the keys or the tokens admits is let in.",
		fields: []field[auth]{
			{info{key: "keys", doc: "Named callers, each with a secret. A name may stand twice while its secret is being replaced."}, listed(keyShape(), func(v *auth) *[]deploy.Key { return &v.Keys })},
			{info{key: "jwt", doc: "Bearer tokens of an authorization server."}, pointed(jwtShape(), func(v *auth) **deploy.JWT { return &v.JWT })},
		},
		rules: []rule{{need: []string{"keys", "jwt"}, why: "without either, nobody could call"}},
	}
}

func keyShape() *shape[deploy.Key] {
	type key = deploy.Key
	return &shape[key]{
		id: "key", title: "a key", secretive: true,
		doc: "One named caller.",
		fields: []field[key]{
			{info{key: "name", need: true, doc: "What logs, audit lines and credentials call the caller."}, text(callerName(), func(v *key) *string { return &v.Name })},
			{info{key: "scheme", need: true, doc: "How the secret is shown."}, word([]string{"basic", "bearer", "apikey"}, func(v *key) *string { return &v.Scheme })},
			{info{key: "username", doc: "The user of `basic`."}, text(plain(), func(v *key) *string { return &v.Username })},
			{info{key: "header", doc: "The header that carries an `apikey`."}, text(headerName(), func(v *key) *string { return &v.Header })},
			{info{key: "query", doc: "The query parameter that carries an `apikey`. Addresses are written down in many places; prefer a header."}, text(plain(), func(v *key) *string { return &v.Query })},
			{info{key: "secret", need: true, doc: "The password, the token or the key's value."}, secretOf(func(v *key) *secret.Value { return &v.Secret })},
		},
		rules: []rule{
			{key: "scheme", word: "basic", need: []string{"username"}, forbid: []string{"header", "query"}, why: "basic is a username and a secret"},
			{key: "scheme", word: "bearer", forbid: []string{"username", "header", "query"}, why: "bearer is a secret in the Authorization header"},
			{key: "scheme", word: "apikey", need: []string{"header", "query"}, forbid: []string{"username"}, why: "apikey is a secret in a header or a query parameter"},
			{key: "header", forbid: []string{"query"}, why: "an apikey stands in one place"},
		},
	}
}

func jwtShape() *shape[deploy.JWT] {
	type jwt = deploy.JWT
	algorithms := []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
	return &shape[jwt]{
		id: "jwt", title: "jwt",
		doc: "What a good token is (RFC 9068, RFC 8725). A token has to have a time of expiry.",
		fields: []field[jwt]{
			{info{key: "issuer", need: true, doc: "The `iss` of tokens, compared exactly."}, text(httpAddress(), func(v *jwt) *string { return &v.Issuer })},
			{info{key: "audience", need: true, doc: "What has to be among the `aud` of a token."}, text(plain(), func(v *jwt) *string { return &v.Audience })},
			{info{key: "jwks", def: "what the issuer's metadata says", doc: "The address of the keys."}, text(httpAddress(), func(v *jwt) *string { return &v.JWKS })},
			{info{key: "resource", def: "`audience`, where that is an address", doc: "The address under which clients know the adapter, such as `https://gateway.example/mcp` (RFC 9728)."}, text(httpAddress(), func(v *jwt) *string { return &v.Resource })},
			{info{key: "algorithms", def: "`RS256`, `PS256`, `ES256`, `EdDSA`", doc: "The only algorithms that are accepted."}, wordList(algorithms, func(v *jwt) *[]string { return &v.Algorithms })},
			{info{key: "scopes", doc: "Scopes that every call needs."}, texts(scope(), func(v *jwt) *[]string { return &v.Scopes })},
			{info{key: "operationScopes", doc: "Scopes that an operation tool or resource needs besides, by its name."}, textsByName(anyName(), scope(), func(v *jwt) *map[string][]string { return &v.OperationScopes })},
			{info{key: "scopeIncludes", doc: "Which scopes a broader one has in it, by its name."}, textsByName(scope(), scope(), func(v *jwt) *map[string][]string { return &v.ScopeIncludes })},
			{info{key: "caller", def: "sub", doc: "The claim that names the caller. Users must not be able to choose its value."}, text(plain(), func(v *jwt) *string { return &v.Caller })},
			{info{key: "leeway", doc: "The difference of clocks that is forgiven."}, duration(true, func(v *jwt) *dur { return &v.Leeway })},
		},
	}
}

// scope is a scope-token (RFC 6749 section 3.3).
func scope() textForm {
	return textForm{want: "a scope, without spaces and quotes", pattern: `^[!#-\[\]-~]+$`}
}

func corsShape() *shape[deploy.CORS] {
	type cors = deploy.CORS
	return &shape[cors]{
		id: "cors", title: "cors",
		fields: []field[cors]{
			{info{key: "origins", need: true, doc: "The pages that may call and read answers, by origin."}, texts(origin(), func(v *cors) *[]string { return &v.Origins })},
			{info{key: "maxAge", doc: "How long a browser may remember the answer to a preflight."}, duration(true, func(v *cors) *dur { return &v.MaxAge })},
		},
	}
}

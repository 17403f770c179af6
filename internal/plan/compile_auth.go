package plan

import (
	"net/url"
	"slices"
	"strings"

	"patchbay/internal/auth"
	"patchbay/internal/diag"
	"patchbay/internal/spec"
	"patchbay/internal/template"
)

// refusal says why a consumed API is not called at all, and where the file says
// so; the reason is "" where it is.
func refusal(from *spec.Consumes) (code diag.Code, span diag.Span, reason, hint string) {
	if from.Type.Set() && from.Type.Value != "http" {
		return CodeUnsupported, from.Type.Span, "the type " + quote(clip(from.Type.Value)) + " is not one that is called here", "only http is"
	}
	if scheme, _, ok := strings.Cut(from.BaseURI.Value, "://"); ok && isScheme(scheme) && !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return CodeUnsupported, from.BaseURI.Span, "its address begins with " + clip(scheme) + "://, which is not HTTP", "only http:// and https:// are called"
	}
	if a := from.Authentication; a != nil {
		switch what, span := unsupportedScheme(a, false); {
		case what != "":
			return CodeAuthUnsupported, span, "calls would leave unsigned, because " + what + " is not one that signs them here", schemeHint(a, "are")
		case missingField(a) != "":
			return CodeAuthIncomplete, a.Span, "calls would leave unsigned, because its " + schemeOf(a) + " authentication has no " + missingField(a), ""
		}
	}
	return "", diag.Span{}, "", ""
}

// isScheme reports whether s can be the scheme of a URI (RFC 3986 section 3.1).
func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if !('a' <= c && c <= 'z') && (i == 0 || !('0' <= s[i] && s[i] <= '9') && strings.IndexByte("+-.", s[i]) < 0) {
			return false
		}
	}
	return s != ""
}

func schemeOf(a *spec.Authentication) string { return strings.ToLower(a.Type.Value) }

// unsupportedScheme says what of an authentication is not run, and where; ""
// where all of it is.
func unsupportedScheme(a *spec.Authentication, inbound bool) (what string, span diag.Span) {
	switch schemeOf(a) {
	case "", "basic", "bearer":
		return "", diag.Span{}
	case "none":
		if !inbound {
			return "", diag.Span{}
		}
	case "apikey":
		place, known := placement(a)
		switch {
		case !known, inbound && (place == auth.InBody || place == auth.InPath):
			return "an API key placed in " + quote(clip(a.Placement.Value)), a.Placement.Span
		case len(a.Headers) > 0 && (inbound || place != auth.InHeader):
			return "an API key in several headers", a.Headers[0].Name.Span
		}
		return "", diag.Span{}
	}
	return "the scheme " + quote(clip(a.Type.Value)), a.Type.Span
}

// schemeHint says what could have been meant, or else what there is.
func schemeHint(a *spec.Authentication, verb string) string {
	if near := diag.Nearest(schemeOf(a), []string{"basic", "bearer", "apikey"}); near != "" {
		return "did you mean " + near + "?"
	}
	if _, known := placement(a); schemeOf(a) == "apikey" && !known {
		places := []string{"header", "query", "cookie"}
		if near := diag.Nearest(a.Placement.Value, places); near != "" {
			return "did you mean " + near + "?"
		}
		return "it can stand in " + strings.Join(places, ", ")
	}
	return "basic, bearer and apikey " + verb
}

// placement is where an API key goes.
func placement(a *spec.Authentication) (place auth.Placement, known bool) {
	switch strings.ToLower(a.Placement.Value) {
	case "", "header":
		return auth.InHeader, true
	case "query":
		return auth.InQuery, true
	case "cookie":
		return auth.InCookie, true
	case "body":
		return auth.InBody, true
	case "path":
		return auth.InPath, true
	default:
		return auth.InHeader, false
	}
}

// missingField names the first field that the scheme needs and the file lacks.
func missingField(a *spec.Authentication) string {
	first := func(fields ...any) string {
		for i := 0; i < len(fields); i += 2 {
			if t := fields[i+1].(spec.Text); !t.Set() {
				return fields[i].(string)
			}
		}
		return ""
	}
	switch schemeOf(a) {
	case "basic":
		return first("username", a.Username, "password", a.Password)
	case "bearer":
		return first("token", a.Token)
	case "apikey":
		return first("key", a.Key, "value", a.Value)
	default:
		return ""
	}
}

// authentication compiles a scheme; nil means none, or one that cannot run. On
// our own side that is an error: an adapter must not open without the lock its
// file asks for.
func (c *compiler) authentication(from *spec.Authentication, host string, inbound bool) *authentication {
	if from == nil || from.Type.Value == "" {
		return nil
	}
	if what, span := unsupportedScheme(from, inbound); what != "" {
		if span.IsZero() {
			span = from.Span
		}
		c.diags.Errorf(CodeAuthUnsupported, span, "%s cannot check callers here", what).WithHint("%s", schemeHint(from, "can"))
		return nil
	}
	if field := missingField(from); field != "" {
		c.diags.Errorf(CodeAuthIncomplete, from.Span, "%s authentication needs %s", schemeOf(from), field)
		return nil
	}
	a := &authentication{scheme: schemeOf(from), span: from.Span, key: from.Value}
	field := func(name string, t spec.Text) *template.Bound { return c.credentialText(name, t, host, inbound) }
	switch a.scheme {
	case "none":
		return nil
	case "basic":
		a.username, a.password = field("username", from.Username), field("password", from.Password)
	case "bearer":
		a.token = field("token", from.Token)
	case "apikey":
		a.name, a.value = field("key", from.Key), field("value", from.Value)
		a.place, _ = placement(from)
		for _, h := range from.Headers {
			a.more = append(a.more, keyHeader{field("key", h.Name), field("value", h.Value)})
		}
	}
	return a
}

// credentialText compiles a field of an authentication.
func (c *compiler) credentialText(name string, t spec.Text, host string, inbound bool) *template.Bound {
	text, err := template.Compile(t.Value, template.Value)
	if err != nil {
		c.templateError(t, err)
		return nil
	}
	if text.IsPlain() && strings.Contains(t.Value, "{{") {
		c.diags.Errorf(CodeTemplate, t.Span, "the placeholder of this %s is not closed; the text itself would be the secret", name)
		return nil
	}
	if literal := strings.TrimSpace(t.Value); text.IsPlain() && strings.HasPrefix(literal, "$") {
		c.diags.Warnf(CodeTemplate, t.Span, "the %s is this very text, not a variable", name).
			WithHint("did you mean {{env.%s}}?", strings.Trim(literal, "${}"))
	}
	return c.variableText(t, text, host, textUse{authentication: true, inbound: inbound})
}

// keyInPath makes the API key of the path an argument with a fixed value. An
// operation without a place for it is disabled.
func (c *compiler) keyInPath(op *consumed, a *spec.Authentication) {
	if op.upstream.auth == nil || op.upstream.auth.place != auth.InPath {
		return
	}
	text, err := template.Compile(op.path, template.Path)
	if err != nil {
		return // reported with the path
	}
	at, _ := meant(a.Key.Value, len(text.Placeholders()), func(i int) string { return text.Placeholders()[i].Name })
	if at < 0 {
		op.disabled = "its API key belongs into the path, which has no {" + clip(a.Key.Value) + "}"
		return
	}
	key := &spec.Parameter{Span: a.Span, Name: spec.Text{Value: text.Placeholders()[at].Name, Span: a.Key.Span}, Value: a.Value}
	value, err := template.Compile(a.Value.Value, template.Value)
	if err != nil {
		return // reported with the authentication
	}
	op.params = slices.DeleteFunc(op.params, func(p param) bool { return p.in == inPath && diag.Fold(p.name) == diag.Fold(key.Name.Value) })
	op.params = append(op.params, param{name: key.Name.Value, in: inPath, required: true, declared: key, fixed: value, credential: true, span: a.Span})
}

// keyInBody disables an operation whose API key goes into a body that it does
// not have.
func (c *compiler) keyInBody(op *consumed) {
	u := op.upstream
	if u.auth == nil || u.auth.place != auth.InBody || op.disabled != "" || op.broken {
		return
	}
	if op.body.media == "" && (op.method == "GET" || op.method == "HEAD" || op.method == "OPTIONS") {
		op.disabled = "its API key belongs into the body, and a " + op.method + " has none"
		return
	}
	if op.body.media == "" {
		op.body = requestBody{media: c.defaultMedia(op), whole: -1, implied: true}
		op.body.encoding, op.body.contentType = encodingOf(op.body.media), []string{op.body.media}
	}
	if op.body.encoding == encodeText || op.body.encoding == encodeBinary {
		op.disabled = "its API key belongs into the body, which is " + op.body.encoding.String() + " and has no fields"
	}
}

// splitBase cuts a base address before the segment that holds the API key, so
// that what follows leads the operations' paths.
func splitBase(address string, a *spec.Authentication) (base, prefix string) {
	place, _ := placement(a)
	if schemeOf(a) != "apikey" || place != auth.InPath {
		return address, ""
	}
	at := strings.Index(address, "{"+a.Key.Value+"}")
	if at < 0 {
		return address, ""
	}
	if _, after, ok := strings.Cut(address, "://"); !ok || !strings.Contains(after[:max(0, at-(len(address)-len(after)))], "/") {
		return address, "" // within the host
	}
	cut := strings.LastIndex(address[:at], "/")
	if _, err := url.Parse(address[:cut]); err != nil {
		return address, ""
	}
	return address[:cut], address[cut:]
}

package plan

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"patchbay/internal/auth"
	"patchbay/internal/diag"
	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/secret"
	"patchbay/internal/template"
)

// Credential is what the calls of one caller are signed with in place of the
// file's secrets. Which fields count is decided by the scheme in the file.
type Credential struct {
	Username, Password, Token, Value secret.Value
	// Variables replaces variables, by their names outside of the file, wherever
	// a call of the upstream has them: in its path, for example.
	Variables map[string]secret.Value
}

// callers is who calls an upstream with credentials of its own.
type callers struct {
	own map[string]*credential
	// only reports that nobody else may call it.
	only bool
}

// credential is a caller's own, ready to sign.
type credential struct {
	signer    auth.Signer
	member    jsonvalue.Member
	variables []jsonvalue.Value
	// secrets are what it is made of, and mask takes them out of what the upstream
	// repeats to this caller.
	secrets []secret.Value
	mask    secret.Mask
}

// credential returns what a call of an upstream is signed with in place of the
// file's secrets, nil for these, or why this caller may not make it.
func (b *Bound) credential(ctx context.Context, u *Upstream) (*credential, *fault.Fault) {
	c := b.callers[u.at]
	if c == nil {
		return nil, nil
	}
	if own := c.of(auth.CallerOf(ctx)); own != nil || !c.only {
		return own, nil
	}
	f := fault.New(fault.Forbidden, "%s is called with the callers' own credentials, and this caller has none", u.Namespace)
	f.Hint = "the operator gives credentials to callers by their names"
	return nil, f
}

// of returns the caller's own credential, or nil.
func (c *callers) of(who *auth.Caller) *credential {
	if c == nil || who == nil {
		return nil
	}
	return c.own[who.Name]
}

// permit refuses callers without a credential of their own before anything of an
// operation is sent.
func (b *Bound) permit(ctx context.Context, op *Operation) *fault.Fault {
	for i := range op.calls {
		if _, f := b.credential(ctx, op.calls[i].to.upstream); f != nil {
			return f
		}
	}
	return nil
}

// callers prepares the credentials of callers for an upstream; nil where there
// are none.
func (b *binder) callers(u *Upstream) *callers {
	given, only := b.opts.Callers[u.Namespace], b.opts.CallersOnly[u.Namespace]
	if len(given) == 0 && !only {
		return nil
	}
	out := &callers{own: map[string]*credential{}, only: only}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		from := given[name]
		c, err := b.own(u, &from)
		if err != nil {
			span := u.Span
			if u.auth != nil {
				span = u.auth.span
			}
			b.diags.Errorf(CodeCredential, span, "the credentials of the caller %s for %s: %v", diag.Printable(name), u.Namespace, err)
			continue
		}
		out.own[name] = c
		b.secrets = append(b.secrets, c.secrets...)
	}
	return out
}

// own makes one caller's credential. A variable that is a field as a whole is
// replaced wherever the calls have it.
func (b *binder) own(u *Upstream, from *Credential) (*credential, error) {
	a := u.auth
	if a == nil {
		return nil, fmt.Errorf("the file signs no call of %s", u.Namespace)
	}
	values, missing := slices.Clone(b.values), slices.Clone(b.missing)
	set := func(at int, v secret.Value) error {
		if u.base != nil && slices.Contains(u.base.Slots(), at) {
			return fmt.Errorf("%s stands in the base address, which all callers share", variableName(b.plan.Variables[at]))
		}
		values[at], missing[at] = jsonvalue.StringOf(v.Reveal()), false
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(from.Variables)) {
		at := slices.IndexFunc(b.plan.Variables, func(v *Variable) bool { return v.Key == name })
		if at < 0 {
			return nil, fmt.Errorf("the file has no variable %s", name)
		}
		if err := set(at, from.Variables[name]); err != nil {
			return nil, err
		}
	}
	fields := []struct {
		name  string
		text  *template.Bound
		given secret.Value
	}{{"username", a.username, from.Username}, {"password", a.password, from.Password}, {"token", a.token, from.Token}, {"value", a.value, from.Value}}
	for _, f := range fields { // a variable may be in several: all are set before any is read
		if f.given.IsZero() {
			continue
		}
		if f.text == nil {
			return nil, fmt.Errorf("%s authentication has no %s", a.scheme, f.name)
		}
		if at, whole := f.text.Single(); whole {
			if err := set(at, f.given); err != nil {
				return nil, err
			}
		}
	}
	own := &binder{plan: b.plan, opts: b.opts, values: values, missing: missing}
	read := map[string]secret.Value{}
	for _, f := range fields {
		if f.text == nil {
			continue
		}
		text, lacking := own.text(f.text)
		if !f.given.IsZero() {
			text, lacking = f.given, nil
		}
		// A secret of the file's beside a name of the caller's would be a mistake.
		files, _ := b.text(f.text)
		if len(lacking) > 0 || text.IsZero() || f.name != "username" && f.given.IsZero() && text == files {
			return nil, fmt.Errorf("%s authentication needs a %s", a.scheme, f.name)
		}
		read[f.name] = text
	}
	out := &credential{variables: values}
	var err error
	switch a.scheme {
	case "basic":
		out.signer, err = auth.Basic(read["username"], read["password"])
	case "bearer":
		out.signer, err = auth.Bearer(read["token"])
	case "apikey":
		if at, whole := a.value.Single(); a.place == auth.InPath && (!whole || values[at].Text() != read["value"].Reveal()) {
			return nil, fmt.Errorf("the key stands in the path, and is not one variable")
		}
		name, _ := own.text(a.name)
		out.signer, err = auth.APIKey(name.Reveal(), read["value"], a.place, url.QueryEscape)
		for i := 0; err == nil && i < len(a.more); i++ {
			name, lacking := own.text(a.more[i].name)
			value, more := own.text(a.more[i].value)
			if len(lacking)+len(more) > 0 {
				return nil, fmt.Errorf("a header beside the key has no value")
			}
			var beside auth.Signer
			beside, err = auth.APIKey(name.Reveal(), value, auth.InHeader, url.QueryEscape)
			out.signer = out.signer.And(beside)
		}
	}
	if err != nil {
		return nil, err
	}
	name, value := out.signer.Member()
	out.member = jsonvalue.Member{Name: name, Value: jsonvalue.StringOf(value)}
	out.secrets = append(own.private(), read["password"], read["token"], read["value"])
	out.secrets = append(out.secrets, out.signer.Secrets()...)
	out.mask.Add(out.secrets...)
	return out, nil
}

package engine

import (
	"fmt"
	"net"
	"net/url"
	"path"
	"slices"
	"strings"

	"patchbay/internal/bind"
	"patchbay/internal/diag"
	"patchbay/internal/plan"
)

// CodeVariableShared is the code of a finding: a value would be sent to a provider that it may not be
// meant for.
const CodeVariableShared diag.Code = "variable-shared"

// Codes returns the codes of what only files together can show.
func Codes() []diag.CodeInfo {
	return []diag.CodeInfo{{
		Code: CodeVariableShared, Severity: diag.Error,
		Meaning: "The value of one variable would be sent to several providers, or a variable that by its name is one provider's to another.",
		Fix:     "Give each file its own: --map-env NAMESPACE.NAME=OTHER. If the sharing is meant, confirm it with --share-env NAME.",
	}}
}

// sending is a variable on its way to a provider, from one file.
type sending struct {
	variable *plan.Variable
	provider string
	files    []string
}

// shared reports variables that have a value and would take it to a provider
// that it may not be meant for: to more than one, or to one that the name of
// the variable does not belong to. Files that were written apart use the same
// names for different things. Confirmed ones are the operator's decision.
func shared(l *Loaded, environments []*bind.Environment, confirmed []string) diag.List {
	uses := map[string][]*sending{}
	type destination struct{ name, provider string }
	to := map[destination]*sending{}
	var names []string
	for i, p := range l.Plans {
		for _, v := range p.Variables {
			if v.Location != "" || v.Inbound || v.Host == "" {
				continue
			}
			name := environments[i].Renamed(v.Key)
			if value, _, ok := environments[i].Lookup(v.Key); !ok || value.Reveal() == "" || slices.Contains(confirmed, name) {
				continue
			}
			provider := providerOf(p, v.Host)
			s := to[destination{name, provider}]
			if s == nil {
				if uses[name] == nil {
					names = append(names, name)
				}
				s = &sending{variable: v, provider: provider}
				uses[name], to[destination{name, provider}] = append(uses[name], s), s
			}
			s.files = append(s.files, p.Document.File)
		}
	}
	var out diag.List
	for _, name := range names {
		out = append(out, l.judge(name, uses[name])...)
	}
	return out
}

// judge reports the sendings of one variable that have to be confirmed.
func (l *Loaded) judge(name string, to []*sending) diag.List {
	var out diag.List
	owner := ""
	if p := l.Profiles.Owner(name); p != nil {
		owner = p.Name
	}
	for i, s := range to {
		reason := ""
		switch {
		case owner != "" && owner != s.provider:
			reason = fmt.Sprintf("by its name it is %s's", owner)
		case owner == "" && i > 0:
			reason = fmt.Sprintf("it is also sent to %s", to[0].variable.Host)
		default:
			continue
		}
		where, own := "", fmt.Sprintf("%s.%s=OTHER", l.namespaceOf(s.files[0]), s.variable.Key)
		if n := len(s.files); n > 1 {
			where = fmt.Sprintf(" (%d files)", n)
			own = fmt.Sprintf("'%s.%s=OTHER'", l.pattern(s.files), s.variable.Key) // quoted for the shell
		}
		d := out.Errorf(CodeVariableShared, s.variable.Span, "%s would be sent to %s%s, and %s", name, s.variable.Host, where, reason).
			WithHint("give it a value of its own with --map-env %s, or confirm with --share-env %s", own, name)
		if owner == "" {
			d.WithRelated(to[0].variable.Span, "in %s", path.Base(to[0].files[0]))
		}
	}
	return out
}

// pattern stands for the namespaces of several files: what they begin with.
func (l *Loaded) pattern(files []string) string {
	common := l.namespaceOf(files[0])
	for _, f := range files[1:] {
		for !strings.HasPrefix(l.namespaceOf(f), common) {
			common = common[:len(common)-1]
		}
	}
	return common + "*"
}

func (l *Loaded) namespaceOf(file string) string {
	for _, p := range l.Plans {
		if p.Document.File == file && len(p.Upstreams) > 0 {
			return p.Upstreams[0].Namespace
		}
	}
	return "NAMESPACE"
}

// providerOf names who is behind a host: a provider that is known, or else its
// last two labels, or the address.
func providerOf(p *plan.Plan, host string) string {
	for _, u := range p.Upstreams {
		if u.Host == host && u.Profile != nil {
			return u.Profile.Name
		}
	}
	if u, err := url.Parse("//" + host); err == nil {
		host = u.Hostname()
	}
	labels := strings.Split(host, ".")
	if len(labels) < 2 || net.ParseIP(host) != nil {
		return host
	}
	return strings.Join(labels[len(labels)-2:], ".")
}

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

// sending is a variable on its way to a provider, from some files.
type sending struct {
	variable       *plan.Variable
	host, provider string
	files          []string
}

// shared reports variables that have a value and would take it to a provider
// that it may not be meant for: to more than one, or to one that the name of
// the variable does not belong to. Files that were written apart use the same
// names for different things. Confirmed ones are the operator's decision.
func shared(d *Deployment, environments []*bind.Environment) diag.List {
	l, confirmed := d.Loaded, d.Options.ShareEnv
	uses := map[string][]*sending{}
	type destination struct{ name, provider string }
	to := map[destination]*sending{}
	var names []string
	for i, p := range l.Plans {
		for _, v := range p.Variables {
			if v.Location != "" || len(v.Hosts) == 0 {
				continue
			}
			name := environments[i].Renamed(v.Key)
			if value, _, ok := environments[i].Lookup(v.Key); !ok || value.Reveal() == "" || slices.Contains(confirmed, name) {
				continue
			}
			for _, host := range d.destinations(d.Bound[i], v) {
				provider := l.providerOf(host)
				s := to[destination{name, provider}]
				if s == nil {
					if uses[name] == nil {
						names = append(names, name)
					}
					s = &sending{variable: v, host: host, provider: provider}
					uses[name], to[destination{name, provider}] = append(uses[name], s), s
				}
				if n := len(s.files); n == 0 || s.files[n-1] != p.Document.File {
					s.files = append(s.files, p.Document.File)
				}
			}
		}
	}
	var out diag.List
	for _, name := range names {
		out = append(out, l.judge(name, uses[name])...)
	}
	return out
}

// destinations are the hosts that a variable's value is sent to. Those that the
// file leaves to variables are known now; those that it leaves to the operator
// are the operator's decision.
func (d *Deployment) destinations(b *plan.Bound, v *plan.Variable) []string {
	var out []string
	for _, host := range v.Hosts {
		if host != "" {
			out = append(out, host)
			continue
		}
		for _, u := range b.Plan.Upstreams {
			if u.Host != "" || d.Options.Upstream(u.Namespace).BaseURL != "" {
				continue
			}
			if host := b.Client(u).Host(); host != "" && !slices.Contains(v.Hosts, host) && !slices.Contains(out, host) {
				out = append(out, host)
			}
		}
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
			reason = fmt.Sprintf("it is also sent to %s", to[0].host)
		default:
			continue
		}
		where, own := "", fmt.Sprintf("%s.%s=OTHER", l.namespaceOf(s.files[0]), s.variable.Key)
		if n := len(s.files); n > 1 {
			where = fmt.Sprintf(" (%d files)", n)
			own = fmt.Sprintf("'%s.%s=OTHER'", l.pattern(s.files), s.variable.Key) // quoted for the shell
		}
		// Options mean whole files: they cannot part what one file sends to both.
		apart := fmt.Sprintf("give it a value of its own with --map-env %s", own)
		if slices.ContainsFunc(to, func(other *sending) bool { return other != s && slices.Contains(other.files, s.files[0]) }) {
			apart = "let the file name a variable for each"
		}
		d := out.Errorf(CodeVariableShared, s.variable.Span, "%s would be sent to %s%s, and %s", name, s.host, where, reason).
			WithHint("%s, or confirm with --share-env %s", apart, name)
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

// providerOf names who is behind a host: a provider that is known, or else what
// somebody registered, as far as that can be seen, or the address.
func (l *Loaded) providerOf(host string) string {
	if p := l.Profiles.For("https://" + host); p != nil {
		return p.Name
	}
	if u, err := url.Parse("//" + host); err == nil {
		host = u.Hostname()
	}
	labels := strings.Split(host, ".")
	if len(labels) < 2 || net.ParseIP(host) != nil {
		return host
	}
	return strings.Join(labels[len(labels)-registered(labels):], ".")
}

// registered returns how many of the last labels of a name belong to one owner:
// two, or three below the domains in which countries sell names, such as co.uk
// and com.au. Who shares a host with others is taken for one provider.
func registered(labels []string) int {
	n := len(labels)
	if n > 2 && len(labels[n-1]) == 2 {
		switch labels[n-2] {
		case "ac", "co", "com", "edu", "go", "gob", "gov", "gv", "ltd", "me", "mil", "ne", "net", "nom", "or", "org", "plc", "sch":
			return 3
		}
	}
	return 2
}

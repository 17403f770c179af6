package plan

import (
	"net/url"
	"slices"
	"strings"

	"patchbay/internal/secret"
	"patchbay/internal/telemetry"
	"patchbay/internal/template"
	"patchbay/internal/upstream"
)

// count makes the counters of an upstream and of the operations that are
// called of it; nil where nothing is counted.
func (b *binder) count(u *Upstream, end *upstream.Endpoint, bounds *upstream.Options) *telemetry.Upstream {
	if b.opts.Metrics == nil {
		return nil
	}
	info := telemetry.UpstreamInfo{Namespace: u.Namespace, NoTrace: bounds.NoTrace, NoBaggage: bounds.NoBaggage}
	if base, err := url.Parse(end.BaseURL); err == nil {
		info.Scheme, info.Host = base.Scheme, base.Host
	}
	if u.Profile != nil {
		info.Concurrency = u.Profile.ConcurrentCalls
	}
	counts := b.opts.Metrics.Upstream(info)
	for _, op := range b.plan.operations() {
		for i := range op.calls {
			if to := op.calls[i].to; to.upstream == u && b.counts[to] == nil {
				b.counts[to] = counts.Operation(to.name, to.method, b.basePath(u)+to.template())
			}
		}
	}
	return counts
}

// operations are all operations that adapters offer.
func (p *Plan) operations() []*Operation {
	var out []*Operation
	for _, a := range p.REST {
		for _, op := range a.Operations {
			out = append(out, op.Operation)
		}
	}
	for _, a := range p.MCP {
		for _, t := range a.Tools {
			out = append(out, t.Operation)
		}
		for _, r := range a.Resources {
			if r.Operation != nil {
				out = append(out, r.Operation)
			}
		}
	}
	return out
}

// template is the path as the file spells it, without a query: that may hold a
// key.
func (op *consumed) template() string {
	path, _, _ := strings.Cut(op.path, "?")
	return path
}

// basePath is the path of an upstream's base address as calls are told: the
// operator's own, or the file's with its placeholders, whose values may be
// anybody's.
func (b *binder) basePath(u *Upstream) string {
	if replaced, ok := b.opts.BaseURLs[u.Namespace]; ok {
		base, err := upstream.ParseBase(replaced)
		if err != nil {
			return ""
		}
		return base.EscapedPath()
	}
	_, rest, found := strings.Cut(u.BaseURI, "://")
	if !found {
		rest = u.BaseURI // a placeholder for all of the address, or its beginning
	}
	at := strings.IndexByte(rest, '/')
	if at < 0 {
		return ""
	}
	path, _, _ := strings.Cut(rest[at:], "?")
	return strings.TrimRight(path, "/")
}

// Targets are the upstream calls of an operation that may change something, as
// audit lines name them: method, host and path, with its placeholders.
func (b *Bound) Targets(op *Operation) []string {
	if b == nil {
		return nil // compiled, and not bound
	}
	var out []string
	for i := range op.calls {
		to := op.calls[i].to
		if to.safe() {
			continue
		}
		target := to.method + " " + b.clients[to.upstream.at].Host() + b.paths[to.upstream.at] + to.template()
		if !slices.Contains(out, target) {
			out = append(out, target)
		}
	}
	return out
}

// Secrets are the credentials that the plan's calls and adapters work with, for
// what takes them out of logs.
func (b *Bound) Secrets() []secret.Value { return b.secrets }

// private are the values of variables that nobody else is told: all but those
// of addresses and of users' names, which identify and do not prove.
func (b *binder) private() []secret.Value {
	public := map[int]bool{}
	open := func(texts ...*template.Bound) {
		for _, t := range texts {
			if t == nil {
				continue
			}
			for _, slot := range t.Slots() {
				public[slot] = true
			}
		}
	}
	for _, u := range b.plan.Upstreams {
		open(u.base)
		if u.auth != nil {
			open(u.auth.username, u.auth.name)
		}
	}
	for _, a := range b.plan.REST {
		if a.auth != nil {
			open(a.auth.username, a.auth.name)
		}
	}
	for _, a := range b.plan.MCP {
		if a.auth != nil {
			open(a.auth.username, a.auth.name)
		}
	}
	var out []secret.Value
	for i := range b.values {
		if !public[i] && !b.missing[i] {
			out = append(out, secret.New(b.values[i].Text()))
		}
	}
	return out
}

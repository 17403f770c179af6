package plan

import (
	"net/url"
	"slices"
	"strings"

	"patchbay/internal/secret"
	"patchbay/internal/telemetry"
	"patchbay/internal/upstream"
)

// count makes the counters of an upstream and of the operations that are
// called of it; nil where nothing is counted.
func (b *binder) count(u *Upstream, end *upstream.Endpoint) *telemetry.Upstream {
	if b.opts.Metrics == nil {
		return nil
	}
	info := telemetry.UpstreamInfo{Namespace: u.Namespace}
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
				b.counts[to] = counts.Operation(to.name, to.method, to.template())
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

// Targets are the upstream calls of an operation that may change something, as
// audit lines name them: method, host, and the path below the base address, with
// its placeholders.
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
		target := to.method + " " + b.clients[to.upstream.at].Host() + to.template()
		if !slices.Contains(out, target) {
			out = append(out, target)
		}
	}
	return out
}

// Secrets are the credentials that the plan's calls and adapters work with, for
// what takes them out of logs.
func (b *Bound) Secrets() []secret.Value { return b.secrets }

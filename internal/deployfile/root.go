package deployfile

import (
	"strings"

	"patchbay/internal/deploy"
)

// options is what the file fills.
type options = deploy.Options

// rootShape is the whole file.
func rootShape() *shape[options] {
	return &shape[options]{
		id: "deployment", title: "the deployment file",
		doc: "What is served, with which values, where, and for whom. Every key may be absent; an absent one leaves what the flags or the defaults say.",
		fields: []field[options]{
			{info{key: "capabilities", flag: "FILE|DIR arguments", def: "the embedded capability", doc: "Capability files, or folders of them."}, texts(inputPath(), func(o *options) *[]string { return &o.Files })},
			{info{key: "envFiles", flag: "env-file", doc: "Files of `NAME=value` lines with the values of variables, after the environment."}, texts(servedPath(), func(o *options) *[]string { return &o.EnvFiles })},
			{info{key: "mapEnv", flag: "map-env", doc: "For a variable of the capabilities, `NAME` or `NAMESPACE.NAME`, the name that it has here. In a namespace, `*` is anything."}, textByName(qualifiedVariable(), variableName(), noteMapped, func(o *options) *map[string]string { return &o.Renames })},
			{info{key: "shareEnv", flag: "share-env", doc: "Variables, by their names here, that may be sent to several providers, or to one that their name does not belong to."}, texts(variableName(), func(o *options) *[]string { return &o.ShareEnv })},
			{info{key: "contracts", flag: "contract", doc: "OpenAPI documents about the consumed APIs, or folders of them."}, texts(inputPath(), func(o *options) *[]string { return &o.Contracts })},
			{info{key: "contractsFirst", flag: "contracts-first", def: "false", doc: "Whether these win over the contracts that Patchbay carries."}, boolean(func(o *options) *bool { return &o.ContractsFirst })},
			{info{key: "upstreams", doc: "Decisions about what is consumed, by namespace; `\"*\"` stands for all."}, spaced(upstreamShape(true), upstreamShape(false), noteUpstream, func(o *options) *map[string]deploy.Upstream { return &o.UpstreamSettings })},
			{info{key: "adapters", doc: "Decisions about what is exposed, by namespace; `\"*\"` stands for all."}, spaced(adapterShape(true), adapterShape(false), noteAdapter, func(o *options) *map[string]deploy.Adapter { return &o.AdapterSettings })},
			{info{key: "listenRest", flag: "listen-rest", doc: "Where all REST adapters listen that have no `listen` of their own, as `HOST:PORT`."}, text(hostPort(), func(o *options) *string { return &o.ListenREST })},
			{info{key: "listenMcp", flag: "listen-mcp", doc: "The same for MCP adapters."}, text(hostPort(), func(o *options) *string { return &o.ListenMCP })},
			{info{key: "mountAll", flag: "mount-all", def: "false", doc: "Whether the routes of each REST adapter stand under its namespace."}, boolean(func(o *options) *bool { return &o.MountAll })},
			{info{key: "skipInvalid", flag: "skip-invalid", def: "false", doc: "Whether the others are served where some of several capabilities have errors."}, boolean(func(o *options) *bool { return &o.SkipInvalid })},
			{info{key: "connections", doc: "What the clients of one listener can hold open. Of this, a reload changes only listeners that it opens."}, mapping(connectionsShape(), func(o *options) *deploy.Listener { return &o.Listener })},
			{info{key: "lameDuck", flag: "lame-duck", def: "0s", doc: "How long a process that is told to stop goes on accepting and answering, not ready any more, so that balancers turn away from it; `drain` begins after it."}, duration(true, func(o *options) *dur { return &o.LameDuck })},
			{info{key: "drain", flag: "drain", def: "15s", doc: "How long requests under way may take when the process stops, or when a reload closes their listener."}, duration(true, func(o *options) *dur { return &o.Drain })},
			{info{key: "watch", flag: "watch", def: "false", doc: "Whether the deployment is loaded again when one of its files changes."}, boolean(func(o *options) *bool { return &o.Watch })},
			{info{key: "control", doc: "The listener for operators."}, mapping(controlShape(), func(o *options) *deploy.Control { return &o.Control })},
			{info{key: "telemetry", doc: "What is written down and sent."}, mapping(telemetryShape(), func(o *options) *deploy.Telemetry { return &o.Telemetry })},
			{info{key: "idempotency", doc: "How answers are kept for callers that repeat a request with the same key."}, mapping(idempotencyShape(), func(o *options) *deploy.Idempotency { return &o.Idempotency })},
			{info{key: "sandbox", doc: "The simulator in place of the upstreams."}, mapping(sandboxShape(), func(o *options) *deploy.Sandbox { return &o.Sandbox })},
			{info{key: "allowPlainHttp", flag: "allow-plain-http", def: "false", doc: "Whether credentials may go over plain http to other machines."}, boolean(func(o *options) *bool { return &o.AllowPlainHTTP })},
			{info{key: "allowHosts", flag: "allow-host", doc: "Other names under which the listeners are known."}, texts(plain(), func(o *options) *[]string { return &o.AllowHosts })},
			{info{key: "allowOrigins", flag: "allow-origin", doc: "Web pages that may call, by origin."}, texts(origin(), func(o *options) *[]string { return &o.AllowOrigins })},
			{info{key: "allowUnauthenticated", flag: "allow-unauthenticated", def: "false", doc: "Whether adapters without credentials may be reached from outside."}, boolean(func(o *options) *bool { return &o.AllowUnauthenticated })},
		},
	}
}

func (r *reader) note(role Role, name string, n *node) {
	r.file.Names = append(r.file.Names, Name{role, name, r.at(n)})
}

func noteMapped(r *reader, name *node) {
	if ns, _, qualified := strings.Cut(name.Value, "."); qualified {
		r.note(AnyNamespace, ns, name)
	}
}

func noteUpstream(r *reader, name *node, _ *deploy.Upstream) { r.note(UpstreamName, name.Value, name) }

func noteAdapter(r *reader, name *node, a *deploy.Adapter) {
	role := AdapterName
	if a.Mount != "" {
		role = MountedName
	}
	r.note(role, name.Value, name)
}

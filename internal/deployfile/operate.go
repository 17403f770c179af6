package deployfile

import (
	"patchbay/internal/deploy"
	"patchbay/internal/secret"
)

func controlShape() *shape[deploy.Control] {
	type control = deploy.Control
	return &shape[control]{
		id: "control", title: "control",
		fields: []field[control]{
			{info{key: "listen", flag: "control", need: true, doc: "Where it listens, as `HOST:PORT`. It has to be on loopback unless it has `auth`."}, text(hostPort(), func(v *control) *string { return &v.Listen })},
			{info{key: "auth", doc: "Who may look and reload."}, pointed(authShape(), func(v *control) **deploy.Auth { return &v.Auth })},
		},
	}
}

func connectionsShape() *shape[deploy.Listener] {
	type bounds = deploy.Listener
	return &shape[bounds]{
		id: "connections", title: "connections",
		fields: []field[bounds]{
			{info{key: "max", def: "4096", doc: "Connections that are open at once, on all sockets of a listener; more wait."}, integer(1, 1_000_000, "", 0, func(v *bounds) *int { return &v.MaxConnections })},
			{info{key: "readHeader", def: "10s", doc: "Time until a request's header is there."}, duration(false, func(v *bounds) *dur { return &v.ReadHeader })},
			{info{key: "read", def: "60s", doc: "Time until its body is."}, duration(false, func(v *bounds) *dur { return &v.Read })},
			{info{key: "write", def: "twice the time of a call, and 60s", doc: "Time until its answer is taken."}, duration(false, func(v *bounds) *dur { return &v.Write })},
			{info{key: "idle", def: "120s", doc: "Time between two requests."}, duration(false, func(v *bounds) *dur { return &v.Idle })},
		},
	}
}

type tel = deploy.Telemetry

func telemetryShape() *shape[tel] {
	return &shape[tel]{
		id: "telemetry", title: "telemetry",
		fields: []field[tel]{
			{info{key: "log", doc: "The log on standard error."}, mapping(logShape(), func(v *tel) *tel { return v })},
			{info{key: "audit", flag: "audit", def: "the log", doc: "The file to which a line is added for each call that changes something."}, text(filePath(), func(v *tel) *string { return &v.Audit })},
			{info{key: "otlp", doc: "The collector of traces and metrics."}, mapping(otlpShape(), func(v *tel) *tel { return v })},
			{info{key: "serviceName", def: "patchbay", doc: "What the process calls itself at the collector."}, text(plain(), func(v *tel) *string { return &v.ServiceName })},
		},
	}
}

func logShape() *shape[tel] {
	return &shape[tel]{
		id: "log", title: "log",
		fields: []field[tel]{
			{info{key: "format", flag: "log-format", def: "text", doc: "Its form."}, word([]string{"text", "json"}, func(v *tel) *string { return &v.LogFormat })},
			{info{key: "level", flag: "log-level", def: "info", doc: "The least level that is logged."}, word([]string{"debug", "info", "warn", "error"}, func(v *tel) *string { return &v.LogLevel })},
		},
	}
}

func otlpShape() *shape[tel] {
	return &shape[tel]{
		id: "otlp", title: "otlp",
		fields: []field[tel]{
			{info{key: "endpoint", flag: "otlp", need: true, doc: "Its address over HTTP."}, text(httpAddress(), func(v *tel) *string { return &v.OTLP })},
			{info{key: "headers", doc: "Headers that go with what is sent, such as a key."}, secretByName(headerName(), func(v *tel) *map[string]secret.Value { return &v.Headers })},
			{info{key: "sample", flag: "trace-sample", def: "1", doc: "The share of traces that are sent, of those that no caller decides."}, number(0, 1, func(v *tel) *float64 { return &v.Sample })},
		},
	}
}

func idempotencyShape() *shape[deploy.Idempotency] {
	type idem = deploy.Idempotency
	return &shape[idem]{
		id: "idempotency", title: "idempotency",
		fields: []field[idem]{
			{info{key: "enabled", def: "true", doc: "Whether keys are taken at all."}, inverted(func(v *idem) *bool { return &v.Off })},
			{info{key: "maxEntries", def: "100000", doc: "How many answers are kept."}, integer(1, 10_000_000, "", 0, func(v *idem) *int { return &v.MaxEntries })},
			{info{key: "maxBytes", def: "64MiB", doc: "How much memory they may take."}, size("", 0, func(v *idem) *int64 { return &v.MaxBytes })},
			{info{key: "seconds", def: "86400", doc: "How long an answer is kept, in seconds."}, integer(1, 30*24*3600, "", 0, func(v *idem) *int { return &v.Seconds })},
		},
	}
}

func sandboxShape() *shape[deploy.Sandbox] {
	type sandbox = deploy.Sandbox
	return &shape[sandbox]{
		id: "sandbox", title: "the sandbox",
		fields: []field[sandbox]{
			{info{key: "enabled", flag: "sandbox", def: "false", doc: "Whether it answers: no network, no credentials."}, boolean(func(v *sandbox) *bool { return &v.Enabled })},
			{info{key: "listen", flag: "sandbox-listen", def: "a free port on loopback", doc: "Its `HOST:PORT`."}, text(hostPort(), func(v *sandbox) *string { return &v.Listen })},
			{info{key: "setupDelay", flag: "sandbox-setup-delay", def: "400ms", doc: "How long a new channel stays in set-up."}, duration(true, func(v *sandbox) *dur { return &v.SetupDelay })},
			{info{key: "seedChannels", flag: "sandbox-seed-channels", def: "1", doc: "How many channels the seeded interaction has."}, integer(1, 1000, "", 0, func(v *sandbox) *int { return &v.SeedChannels })},
			{info{key: "faults", flag: "sandbox-faults", doc: "Faults to inject from the start, such as `429:2,slow=300ms:*`."}, text(plain(), func(v *sandbox) *string { return &v.Faults })},
		},
	}
}

package deploy

import "patchbay/internal/secret"

// Control is the listener for operators.
type Control struct {
	// Listen is host:port; "" is none. Only loopback unless Auth is set.
	Listen string
	Auth   *Auth
}

// Telemetry is what is written down and sent.
type Telemetry struct {
	// LogFormat is text or json, LogLevel debug, info, warn or error.
	LogFormat, LogLevel string
	// Audit is a file to which a line is added for each call that changes
	// something; "" is the log.
	Audit string
	// OTLP is the address of a collector of traces and metrics over HTTP; "" is
	// none. Headers go with what is sent there.
	OTLP    string
	Headers map[string]secret.Value
	// Sample is the share of traces that are sent, of those that no caller
	// decides: 0 to 1.
	Sample float64
	// ServiceName is what the process calls itself there.
	ServiceName string
}

// Idempotency says how answers are kept for callers that repeat a request with
// the same key.
type Idempotency struct {
	// Off takes no keys.
	Off bool
	// MaxEntries and MaxBytes bound what is kept, Seconds how long.
	MaxEntries int
	MaxBytes   int64
	Seconds    int
}

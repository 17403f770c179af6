package deploy

import (
	"fmt"
	"net"
	"net/url"

	"patchbay/internal/secret"
)

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
	// decides: 0 to 1; the default is 1.
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

// checkOperate reports the first decision about control and telemetry that
// cannot be. What it says repeats no address of a collector: it may hold a token.
func (o *Options) checkOperate() error {
	if o.Control.Listen != "" {
		if _, _, err := net.SplitHostPort(o.Control.Listen); err != nil {
			return fmt.Errorf("--control %s: not HOST:PORT", o.Control.Listen)
		}
	}
	if t := &o.Telemetry; t.OTLP != "" {
		u, err := url.Parse(t.OTLP)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return fmt.Errorf("--otlp: not an http or https address without credentials and query")
		}
	}
	for ns, u := range o.UpstreamSettings {
		switch u.Propagate {
		case "", "all", "trace", "none":
		default:
			return fmt.Errorf("propagate of the upstream %s: want all, trace or none", ns)
		}
	}
	if s := o.Telemetry.Sample; !(s >= 0 && s <= 1) {
		return fmt.Errorf("--trace-sample %v: want a share from 0 to 1", s)
	}
	return nil
}

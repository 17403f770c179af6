package deploy

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Options)
		want   string // "" where the options are fine
	}{
		{"the defaults", func(*Options) {}, ""},
		{"an address", func(o *Options) { o.Listen["a"] = "127.0.0.1:0" }, ""},
		{"an IPv6 address", func(o *Options) { o.Listen["a"] = "[::1]:0" }, ""},
		{"every address", func(o *Options) { o.Listen["a"] = ":0" }, ""},
		{"an address without port", func(o *Options) { o.Listen["a"] = "127.0.0.1" }, "--listen a=127.0.0.1: not HOST:PORT"},
		{"an IPv6 address without brackets", func(o *Options) { o.Listen["a"] = "::1:80" }, "--listen a=::1:80: not HOST:PORT"},
		{"an upstream", func(o *Options) { o.Upstreams["a"] = "https://api.example.com/v1" }, ""},
		{"a type of bodies", func(o *Options) { o.BodyTypes["a"] = "form" }, ""},
		{"another type of bodies", func(o *Options) { o.BodyTypes["a"] = "xml" }, "--body-type a: want form or json"},
		{"an upstream without scheme", func(o *Options) { o.Upstreams["a"] = "api.example.com" }, "--upstream a: not an http or https address"},
		{"an upstream of another scheme", func(o *Options) { o.Upstreams["a"] = "ftp://api.example.com" }, "--upstream a: not an http or https address"},
		{"an upstream without host", func(o *Options) { o.Upstreams["a"] = "https:///v1" }, "--upstream a: not an http or https address"},
		{"the simulator", func(o *Options) { o.Sandbox.Enabled = true }, ""},
		{"the simulator beside an upstream", func(o *Options) { o.Sandbox.Enabled, o.Upstreams["a"] = true, "https://api.example.com" }, "--upstream a and --sandbox exclude each other"},
		{"another name for a variable", func(o *Options) { o.Renames["TWILIO_USER"] = "TWILIO_ACCOUNT_SID" }, ""},
		{"a value for a variable", func(o *Options) { o.Renames["TWILIO_USER"] = "AC:secret" }, "--map-env TWILIO_USER: the right side is the NAME of a variable, never its value"},
		{"no limit", func(o *Options) { o.Limits.MaxBody = 0 }, "limits and time-outs must be positive"},
		{"no calls", func(o *Options) { o.Limits.MaxConcurrent = -1 }, "limits and time-outs must be positive"},
		{"no time", func(o *Options) { o.Limits.Total = 0 }, "limits and time-outs must be positive"},
		{"a control listener", func(o *Options) { o.Control.Listen = "localhost:9100" }, ""},
		{"a control listener without port", func(o *Options) { o.Control.Listen = "localhost" }, "--control localhost: not HOST:PORT"},
		{"a collector", func(o *Options) { o.Telemetry.OTLP = "https://collector.example:4318" }, ""},
		{"a collector without scheme", func(o *Options) { o.Telemetry.OTLP = "collector.example" }, "--otlp: not an http or https address without credentials and query"},
		{"a collector with credentials", func(o *Options) { o.Telemetry.OTLP = "https://user:hunter2@collector.example" }, "--otlp: not an http or https address without credentials and query"},
		{"no traces", func(o *Options) { o.Telemetry.Sample = 0 }, ""},
		{"more than all traces", func(o *Options) { o.Telemetry.Sample = 1.5 }, "--trace-sample 1.5: want a share from 0 to 1"},
		{"no number of traces", func(o *Options) { o.Telemetry.Sample = math.NaN() }, "--trace-sample NaN: want a share from 0 to 1"},
		{"a trace without baggage", func(o *Options) { o.UpstreamSettings = map[string]Upstream{"a": {Propagate: "trace"}} }, ""},
		{"another part of a trace", func(o *Options) { o.UpstreamSettings = map[string]Upstream{"a": {Propagate: "some"}} }, "propagate of the upstream a: want all, trace or none"},
		{"no drain", func(o *Options) { o.Drain = 0 }, ""},
		{"a negative drain", func(o *Options) { o.Drain = -time.Second }, "limits and time-outs must be positive"},
	} {
		opts := Defaults()
		c.change(&opts)
		got := ""
		if err := opts.Check(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// What an operator types by mistake in place of a name may be a secret.
func TestCheckKeepsSecrets(t *testing.T) {
	opts := Defaults()
	opts.Renames["TOKEN"] = "not a name"
	if err := opts.Check(); err == nil || strings.Contains(err.Error(), "not a name") {
		t.Errorf("%v", err)
	}
	opts = Defaults()
	opts.Upstreams["a"] = "user:hunter2@host"
	if err := opts.Check(); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
}

// Defaults are the caller's own: two deployments share no map.
func TestDefaultsAreSeparate(t *testing.T) {
	a, b := Defaults(), Defaults()
	a.Listen["x"], a.Upstreams["x"], a.Renames["x"], a.Checks["x"] = "1", "1", "1", "1"
	if len(b.Listen)+len(b.Upstreams)+len(b.Renames)+len(b.Checks) != 0 {
		t.Errorf("%+v", b)
	}
}

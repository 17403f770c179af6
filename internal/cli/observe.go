package cli

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"patchbay/internal/deploy"
	"patchbay/internal/engine"
	"patchbay/internal/secret"
	"patchbay/internal/telemetry"
)

// controlFlags registers the listener for operators.
func (f *flags) controlFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.opts.Control.Listen, "control", "", "listener for operators (health, status, metrics, recent traces): `HOST:PORT`; none unless given")
}

// observeFlags registers what is written down and sent.
func (f *flags) observeFlags(cmd *cobra.Command) {
	f.observed = true
	set, t := cmd.Flags(), &f.opts.Telemetry
	set.StringVar(&t.Audit, "audit", "", "add a line for each call that may change something to `FILE` (default the log)")
	set.StringVar(&t.OTLP, "otlp", "", "send traces and metrics to the collector at `URL`, as OTLP over HTTP (default OTEL_EXPORTER_OTLP_ENDPOINT)")
	set.Float64Var(&t.Sample, "trace-sample", t.Sample, "`SHARE` of the traces that are sent, of those that no caller decides about: 0 to 1")
}

// collector fills what OpenTelemetry's own variables say and no option does.
// Headers may hold a token, and so no flag takes them.
func (f *flags) collector(o *deploy.Options) error {
	if !f.observed {
		return nil
	}
	t := &o.Telemetry
	given := func(name string) string {
		v, _ := f.lookupEnv(name)
		return strings.TrimSpace(v)
	}
	if given("OTEL_SDK_DISABLED") == "true" {
		return nil
	}
	if t.OTLP == "" {
		t.OTLP = given("OTEL_EXPORTER_OTLP_ENDPOINT")
	}
	if t.ServiceName == "" {
		t.ServiceName = given("OTEL_SERVICE_NAME")
	}
	if t.OTLP == "" || len(t.Headers) > 0 {
		return nil
	}
	headers, err := telemetry.ParseHeaders(given("OTEL_EXPORTER_OTLP_HEADERS"))
	if err != nil {
		return usageError{fmt.Errorf("OTEL_EXPORTER_OTLP_HEADERS: %w", err)}
	}
	t.Headers = headers
	return nil
}

// observe opens the log and what is beside it. What it writes is masked: no
// secret of a deployment gets into a line, whoever worded it.
func (c *command) observe(opts *deploy.Options) (*slog.Logger, *engine.Observation, error) {
	level, err := logLevel(&opts.Telemetry)
	if err != nil {
		return nil, nil, err
	}
	mask := &secret.Mask{}
	log, err := telemetry.NewLog(mask.Writer(c.Err), opts.Telemetry.LogFormat, level)
	if err != nil {
		return nil, nil, usageError{fmt.Errorf("--log-format: %w", err)}
	}
	observation, err := engine.NewObservation(opts, log, mask, Version())
	return log, observation, err
}

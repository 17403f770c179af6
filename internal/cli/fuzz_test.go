package cli

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"patchbay/internal/deploy"
)

// FuzzFlags: a command line gives options that hold together, or an error. Nothing
// is opened for that.
func FuzzFlags(f *testing.F) {
	for _, seed := range []string{
		"--listen a=127.0.0.1:0 --mount a=/b", "--listen a", "--upstream =http://x", "--request-checks a=warn", "--request-checks maybe", "--retries -1", "--max-body 1e9", "--timeout 1y", "--map-env A=B:C", "--body-type a=xml",
		"--log-level none", "--sandbox --upstream a=http://b", "-- --listen", "--listen=a=:0 --listen=a=:0", "--tls-cert a", "--log-format json file.yaml", "--retries 9223372036854775807",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		c := &command{Streams: Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard}, lookup: func(string) (string, bool) { return "", false }}
		cmd := &cobra.Command{Use: "fuzz"}
		flags := c.newFlags(cmd)
		flags.sandboxFlags(cmd)
		flags.limitFlags(cmd)
		flags.toolFlags(cmd)
		flags.listenFlags(cmd)
		flags.logFlags(cmd)
		if cmd.ParseFlags(strings.Fields(line)) != nil {
			return
		}
		options, err := flags.options(cmd.Flags().Args(), deploy.Defaults())
		if err != nil {
			if err.Error() == "" {
				t.Error("an error that says nothing")
			}
			return
		}
		if err := options.Check(); err != nil || options.Limits.Retry.Attempts < 1 {
			t.Errorf("%q: %v, %d attempts", line, err, options.Limits.Retry.Attempts)
		}
		_, _ = logLevel(&options.Telemetry)
	})
}

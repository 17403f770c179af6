package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"patchbay/internal/deploy"
)

// decided is what a command line and a deployment file come to.
func decided(t *testing.T, config string, args ...string) (*deploy.Options, error) {
	t.Helper()
	if config != "" {
		path := filepath.Join(t.TempDir(), "patchbay.yaml")
		if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	c := &command{lookup: func(string) (string, bool) { return "", false }}
	cmd := &cobra.Command{}
	f := c.newFlags(cmd)
	f.sandboxFlags(cmd)
	f.listenFlags(cmd)
	f.toolFlags(cmd)
	f.limitFlags(cmd)
	f.logFlags(cmd)
	if err := cmd.Flags().Parse(args); err != nil {
		t.Fatal(err)
	}
	d, err := c.decide(f, cmd.Flags().Args(), false)
	if err != nil {
		return nil, err
	}
	for _, found := range d.found {
		if !strings.Contains(found.Message, "there is no file") {
			t.Fatalf("%v", d.found)
		}
	}
	// What is read again is the same: nothing of the first time is left.
	again, err := c.decide(f, cmd.Flags().Args(), false)
	if err != nil {
		return nil, err
	}
	if first, second := fmt.Sprintf("%+v", *d.opts), fmt.Sprintf("%+v", *again.opts); first != second {
		t.Errorf("decided again, it is something else:\n%s\n%s", first, second)
	}
	return d.opts, nil
}

// Flags win over the file, field by field; a list replaces the file's.
func TestFlagsWin(t *testing.T) {
	const config = `
mapEnv: {A: FILE_A, B: FILE_B}
shareEnv: [FILE]
upstreams:
  "*": {timeouts: {connect: 1s, header: 2s}, maxResponse: 1KiB, requestChecks: warn, bodyType: form}
  up: {baseUrl: https://file.example, timeouts: {connect: 4s}}
  other: {baseUrl: https://other.example, requestChecks: "off", proxy: "http://proxy.example:3128"}
adapters:
  "*": {readOnly: true, tools: [file], tags: [file], maxBody: 2KiB, tls: {certificate: all.pem, key: all.key}}
  rest: {listen: "127.0.0.1:1", mount: /file, tls: {certificate: own.pem, key: own.key, clientCa: clients.pem}}
drain: 3s
mountAll: true
allowHosts: [file.example]
telemetry: {log: {format: json, level: debug}}
`
	for _, c := range []struct {
		name string
		args []string
		get  func(*deploy.Options) any
		want any
	}{
		{"the file's word", nil, func(o *deploy.Options) any { return o.Upstream("up").BaseURL }, "https://file.example"},
		{"a flag of a namespace", []string{"--upstream", "up=https://flag.example"}, func(o *deploy.Options) any { return o.Upstream("up").BaseURL }, "https://flag.example"},
		{"beside it, the file's", []string{"--upstream", "up=https://flag.example"}, func(o *deploy.Options) any { return o.Upstream("other").BaseURL }, "https://other.example"},
		{"a flag for all", []string{"--connect-timeout", "9s"}, func(o *deploy.Options) any { return o.Upstream("other").Connect.String() }, "9s"},
		{"a namespace of the file goes before a flag for all", []string{"--connect-timeout", "9s"}, func(o *deploy.Options) any { return o.Upstream("up").Connect.String() }, "4s"},
		{"the next field is the file's", []string{"--connect-timeout", "9s"}, func(o *deploy.Options) any { return o.Upstream("up").Header.String() }, "2s"},
		{"neither says it", nil, func(o *deploy.Options) any { return o.Upstream("up").Total.String() }, "1m0s"},
		{"a flag that is the default", []string{"--max-response", "10485760"}, func(o *deploy.Options) any { return o.Upstream("up").MaxResponse }, int64(10 << 20)},
		{"checks for all", []string{"--request-checks", "enforce"}, func(o *deploy.Options) any { return o.Upstream("up").Checks }, "enforce"},
		{"checks of a namespace", []string{"--request-checks", "enforce"}, func(o *deploy.Options) any { return o.Upstream("other").Checks }, "off"},
		{"body types", []string{"--body-type", "up=json"}, func(o *deploy.Options) any { return o.Upstream("up").BodyType + o.Upstream("other").BodyType }, "jsonform"},
		{"a list", []string{"--allow-host", "a", "--allow-host", "b"}, func(o *deploy.Options) any { return strings.Join(o.AllowHosts, " ") }, "a b"},
		{"a list of the file", nil, func(o *deploy.Options) any { return strings.Join(o.AllowHosts, " ") }, "file.example"},
		{"names of variables", []string{"--map-env", "A=FLAG_A"}, func(o *deploy.Options) any { return o.Renames["A"] + " " + o.Renames["B"] }, "FLAG_A FILE_B"},
		{"a choice of tools is one decision", []string{"--tool", "flag"}, func(o *deploy.Options) any { return fmt.Sprint(o.Adapter("mcp").Tools, o.Adapter("mcp").Tags) }, "[flag] []"},
		{"a boolean that is taken back", []string{"--read-only=false", "--mount-all=false"}, func(o *deploy.Options) any { return o.ReadOnly || o.MountAll }, false},
		{"an address", []string{"--listen", "rest=127.0.0.1:2"}, func(o *deploy.Options) any { return o.Adapter("rest").Listen + o.Adapter("rest").Mount }, "127.0.0.1:2/file"},
		{"the log", []string{"--log-level", "warn"}, func(o *deploy.Options) any { return o.Telemetry.LogFormat + " " + o.Telemetry.LogLevel }, "json warn"},
		{"bodies", []string{"--max-body", "7"}, func(o *deploy.Options) any { return o.Adapter("rest").MaxBody }, int64(7)},
		{"documents", []string{"a.yaml", "b.yaml"}, func(o *deploy.Options) any { return strings.Join(o.Files, " ") }, "a.yaml b.yaml"},
		{"certificates of clients stay asked for", []string{"--tls-cert", "f.pem", "--tls-key", "f.key"}, func(o *deploy.Options) any { return base(o.Adapter("rest").TLS.ClientCA) }, "clients.pem"},
		{"a certificate for all", []string{"--tls-cert", "f.pem", "--tls-key", "f.key"}, func(o *deploy.Options) any { return o.Adapter("mcp").TLS.Certificate }, "f.pem"},
		{"one field of those for all", []string{"--client-ca", "f.pem"}, func(o *deploy.Options) any {
			return base(o.Adapter("mcp").TLS.Certificate) + " " + o.Adapter("mcp").TLS.ClientCA
		}, "all.pem f.pem"},
		{"the sandbox has no proxy", []string{"--sandbox"}, func(o *deploy.Options) any { return o.Upstream("other").Proxy }, "none"},
		{"the sandbox takes the file's addresses away", []string{"--sandbox"}, func(o *deploy.Options) any { return fmt.Sprint(o.Sandbox.Enabled, len(o.Upstreams)) }, "true 0"},
	} {
		o, err := decided(t, config, c.args...)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := c.get(o); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if _, err := decided(t, "", "--sandbox", "--upstream", "up=https://a.example"); err == nil {
		t.Error("two flags that exclude each other were taken")
	}
}

// base is the name of a file of the deployment's folder.
func base(path string) string { return filepath.Base(path) }

// Without a deployment file, flags say all.
func TestFlagsAlone(t *testing.T) {
	o, err := decided(t, "", "--drain", "2s", "--log-format", "json", "--map-env", "A=B", "--tag", "x")
	if err != nil {
		t.Fatal(err)
	}
	want := deploy.Defaults()
	if o.Drain.String() != "2s" || o.Telemetry.LogFormat != "json" || o.Telemetry.LogLevel != "info" || o.Renames["A"] != "B" || o.Tags[0] != "x" || o.Limits != want.Limits {
		t.Errorf("%+v", o)
	}
}

// Of folders, what would be read is watched, and nothing beside it: a log or the
// audit file there would set off a reload with each line.
func TestInputs(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "patchbay.yaml")
	if err := os.WriteFile(config, []byte("capabilities: [caps, one.txt]\ncontracts: [contracts]\nenvFiles: [secrets.env]\ntelemetry: {audit: caps/audit.json}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &command{lookup: func(string) (string, bool) { return "", false }}
	cmd := &cobra.Command{}
	f := c.newFlags(cmd)
	if err := cmd.Flags().Parse([]string{"--config", config}); err != nil {
		t.Fatal(err)
	}
	d, err := c.decide(f, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	watched := map[string]map[string]bool{}
	for _, p := range d.inputs() {
		name, err := filepath.Rel(dir, p.Name)
		if err != nil {
			t.Fatal(err)
		}
		if watched[name] == nil {
			watched[name] = map[string]bool{}
		}
		for _, entry := range []string{"a.yaml", "b.YML", "c.json", "audit.jsonl", "patchbay.log", ".a.yaml.swp", "a.yaml~"} {
			if p.Counts != nil && p.Counts(entry) {
				watched[name][entry] = true
			}
		}
	}
	want := "map[caps:map[a.yaml:true b.YML:true] contracts:map[a.yaml:true b.YML:true c.json:true] one.txt:map[a.yaml:true b.YML:true] patchbay.yaml:map[] secrets.env:map[]]"
	if got := fmt.Sprint(watched); got != want {
		t.Errorf("watched is\n%s\nwant\n%s", got, want)
	}
}

// TestReplacedFilesMayBeMissing: a file that a flag replaces need not be there, and
// one that an adapter names all the same has to.
func TestReplacedFilesMayBeMissing(t *testing.T) {
	for config, missing := range map[string]int{
		`adapters: {"*": {tls: {certificate: gone.pem, key: gone.key}}}`:                                                  0,
		`adapters: {"*": {tls: {certificate: gone.pem, key: gone.key}}, a: {tls: {certificate: gone.pem, key: own.key}}}`: 3,
	} {
		path := filepath.Join(t.TempDir(), "patchbay.yaml")
		if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		c := &command{lookup: func(string) (string, bool) { return "", false }}
		cmd := &cobra.Command{}
		f := c.newFlags(cmd)
		f.listenFlags(cmd)
		if err := cmd.Flags().Parse([]string{"--config", path, "--tls-cert", "c.pem", "--tls-key", "k.pem"}); err != nil {
			t.Fatal(err)
		}
		d, err := c.decide(f, nil, true)
		if err != nil || len(d.found) != missing {
			t.Errorf("%s: %v %v, want %d findings", config, err, d.found, missing)
		}
	}
}

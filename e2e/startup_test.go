package e2e

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServeWithoutCredentials wants the operator to be told everything that
// helps: the place in the file, the variables, and the ways out.
func TestServeWithoutCredentials(t *testing.T) {
	free := []string{"serve", "--listen", restNamespace + "=127.0.0.1:0", "--listen", mcpNamespace + "=127.0.0.1:0"}
	for _, tt := range []struct {
		name string
		env  []string
		want []string
		not  []string
	}{
		{
			name: "nothing is set",
			want: []string{
				"flex-interactions.yaml:115:", "flex-interactions.yaml:116:",
				"TWILIO_USER", "TWILIO_PASS", "flex-api.twilio.com",
				"--map-env TWILIO_USER=", "--env-file", "--sandbox",
				// Names that the operator may have under another name.
				"TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_API_KEY", "TWILIO_API_SECRET",
			},
		},
		{
			name: "one of the two is set",
			env:  []string{"TWILIO_USER=SKsecretuser"},
			want: []string{"flex-interactions.yaml:116:", "TWILIO_PASS", "--env-file", "--sandbox"},
			not:  []string{"flex-interactions.yaml:115:", "SKsecretuser"},
		},
		{
			name: "an empty value is none",
			env:  []string{"TWILIO_USER=SKsecretuser", "TWILIO_PASS="},
			want: []string{"flex-interactions.yaml:116:", "TWILIO_PASS"},
			not:  []string{"flex-interactions.yaml:115:", "SKsecretuser"},
		},
		{
			name: "account and token are set",
			env:  []string{"TWILIO_ACCOUNT_SID=ACsecretaccount", "TWILIO_AUTH_TOKEN=secrettoken"},
			want: []string{
				"Set already: TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN",
				"--map-env TWILIO_USER=TWILIO_ACCOUNT_SID --map-env TWILIO_PASS=TWILIO_AUTH_TOKEN",
				"--env-file", "--sandbox",
			},
			not: []string{"ACsecretaccount", "secrettoken"},
		},
		{
			name: "key and secret are set",
			env:  []string{"TWILIO_API_KEY=SKsecretkey", "TWILIO_API_SECRET=secretsecret"},
			want: []string{
				"Set already: TWILIO_API_KEY, TWILIO_API_SECRET",
				"--map-env TWILIO_USER=TWILIO_API_KEY --map-env TWILIO_PASS=TWILIO_API_SECRET",
			},
			not: []string{"SKsecretkey", "secretsecret"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			end := run(t, tt.env, free...)
			if end.code != 1 || end.stdout != "" {
				t.Errorf("exit code %d, stdout %q; want 1 and nothing", end.code, end.stdout)
			}
			for _, want := range tt.want {
				if !strings.Contains(end.stderr, want) {
					t.Errorf("stderr lacks %q", want)
				}
			}
			for _, not := range tt.not {
				if strings.Contains(end.stderr, not) {
					t.Errorf("stderr has %q", not)
				}
			}
			if t.Failed() {
				t.Logf("stderr:\n%s", end.stderr)
			}
		})
	}
}

// TestServeWithCredentials starts in each way that the refusal names. The
// simulator accepts exactly these credentials, so that an answer proves that
// they were sent; the calls go to a simulator of another process, as they
// would go to the provider.
func TestServeWithCredentials(t *testing.T) {
	credentials := []string{"TWILIO_USER=SKuser", "TWILIO_PASS=pa ss#'word"}
	simulator := start(t, credentials, "sandbox", "--listen", "127.0.0.1:0")
	upstream := "flex-interactions=" + simulator.sandbox + "/v1"
	file := filepath.Join(t.TempDir(), "twilio.env")
	if err := os.WriteFile(file, []byte("# of the account\nTWILIO_USER=SKuser\nTWILIO_PASS=\"pa ss#'word\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		env    []string
		flags  []string
		status int
	}{
		{"environment", credentials, nil, http.StatusOK},
		{"file", nil, []string{"--env-file", file}, http.StatusOK},
		{"the environment wins over the file", []string{"TWILIO_PASS=wrong"}, []string{"--env-file", file}, http.StatusUnauthorized},
		{
			"mapped",
			[]string{"TWILIO_API_KEY=SKuser", "TWILIO_API_SECRET=pa ss#'word"},
			[]string{"--map-env", "TWILIO_USER=TWILIO_API_KEY", "--map-env", "TWILIO_PASS=TWILIO_API_SECRET"},
			http.StatusOK,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := serve(t, tt.env, append([]string{"--upstream", upstream}, tt.flags...)...)
			res, err := http.Get(p.rest + "/v1/interactions/" + seedInteraction)
			if err != nil {
				t.Fatal(err)
			}
			body := bodyOf(t, res)
			if res.StatusCode != tt.status || res.Header.Get("Patchbay-Source") != "upstream" {
				t.Errorf("status %s, source %s; want %d from the upstream:\n%s", res.Status, res.Header.Get("Patchbay-Source"), tt.status, body)
			}
			if output := p.announced + p.stderr.String(); strings.Contains(output, "pa ss") || strings.Contains(output, "SKuser") {
				t.Errorf("credentials in the output:\n%s", output)
			}
		})
	}
}

// TestServePortInUse wants the way out, not only the fact.
func TestServePortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{
			"REST",
			[]string{"serve", "--sandbox", "--listen", restNamespace + "=" + address, "--listen", mcpNamespace + "=127.0.0.1:0"},
			"--listen " + restNamespace + "=",
		},
		{
			"MCP",
			[]string{"serve", "--sandbox", "--listen", restNamespace + "=127.0.0.1:0", "--listen", mcpNamespace + "=" + address},
			"--listen " + mcpNamespace + "=",
		},
		{"sandbox", []string{"sandbox", "--listen", address}, "--listen"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			end := run(t, nil, tt.args...)
			if end.code != 1 || end.stdout != "" {
				t.Errorf("exit code %d, stdout %q; want 1 and nothing", end.code, end.stdout)
			}
			for _, want := range []string{address, tt.want} {
				if !strings.Contains(end.stderr, want) {
					t.Errorf("stderr lacks %q:\n%s", want, end.stderr)
				}
			}
		})
	}
}

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnit: systemd takes the unit as it is, and grants the service little.
func TestUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not here")
	}
	unit, err := os.ReadFile("../deploy/patchbay.service")
	if err != nil {
		t.Fatal(err)
	}
	// The binary is somewhere else here.
	text := strings.ReplaceAll(string(unit), "/usr/bin/patchbay", command)
	path := filepath.Join(t.TempDir(), "patchbay.service")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", path).CombinedOutput(); err != nil || strings.Contains(string(out), "patchbay.service") {
		t.Errorf("verify: %v\n%s", err, out)
	}
	// 10 is exposed to everything; a service without any of these settings has 9.6.
	if out, err := exec.Command(analyze, "security", "--offline=true", "--threshold=20", path).CombinedOutput(); err != nil {
		t.Errorf("security: %v\n%s", err, out)
	}
}

// TestContainer: the image's last stage runs as nobody, from an image without a
// shell, and starts what the unit starts.
func TestContainer(t *testing.T) {
	data, err := os.ReadFile("../deploy/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	_, last, found := strings.Cut(string(data), "\nFROM gcr.io/distroless/static-debian12:nonroot\n")
	if !found || strings.Contains(last, "\nFROM ") {
		t.Fatal("the last stage is not distroless")
	}
	for _, line := range []string{"USER nonroot:nonroot", `ENTRYPOINT ["/usr/bin/patchbay"]`, `CMD ["serve", "--config", "/etc/patchbay/patchbay.yaml"]`} {
		if !strings.Contains(last, line+"\n") {
			t.Errorf("the last stage does not say %s", line)
		}
	}
	if strings.Contains(last, "RUN ") {
		t.Error("the last stage runs something, which has no shell to run in")
	}
}

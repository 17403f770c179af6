package bind

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestSecretFile(t *testing.T) {
	dir := t.TempDir()
	env, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text string
		mode       os.FileMode
		want       string
		exposed    bool
	}{
		{"plain", "s3cret", 0o600, "s3cret", false},
		{"with a line break", "s3cret\n", 0o400, "s3cret", false},
		{"with one of Windows", "s3cret\r\n", 0o600, "s3cret", false},
		{"one line break only is taken away", " two\n\n", 0o600, " two\n", false},
		{"open to the group", "s3cret", 0o640, "s3cret", true},
		{"open to all", "s3cret", 0o604, "s3cret", true},
		{"empty", "\n", 0o600, "", false},
	} {
		path := filepath.Join(dir, c.name)
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		value, exposed, err := env.SecretFile(path)
		if err != nil || value.Reveal() != c.want || exposed != (c.exposed && runtime.GOOS != "windows") {
			t.Errorf("%s: %q, exposed %t, %v", c.name, value.Reveal(), exposed, err)
		}
	}
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, []byte(strings.Repeat("x", maxSecret+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{large: "is larger than", dir: "is a folder", filepath.Join(dir, "none"): "there is no file"} {
		if _, _, err := env.SecretFile(path); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "xxx") {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// A secret's variable is named as the operator has it: renames are for the
// variables of capabilities.
func TestVariable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.env")
	if err := os.WriteFile(file, []byte("IN_FILE=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env, err := New(Options{
		Process:  func(n string) (string, bool) { return "of " + n, n == "A" },
		EnvFiles: []string{file}, Renames: map[string]string{"A": "B", "X": "A"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"A": "of A", "IN_FILE": "1", "X": "", "B": ""} {
		if v, ok := env.Variable(name); v.Reveal() != want || ok != (want != "") {
			t.Errorf("%s: %q, %t", name, v.Reveal(), ok)
		}
	}
}

package bind

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseEnvFile(t *testing.T) {
	got, err := ParseEnvFile([]byte("# comment\n\nexport A=1\nB = two words # tail\nC='x # y'\nD=\"a\\nb\\\"\" # c\nE=\nF=a=b#c\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"A": "1", "B": "two words", "C": "x # y", "D": "a\nb\"", "E": "", "F": "a=b#c"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"novalue", "1A=x", "A='x", "A=\"x", "A='x' y", "=x", "A B=c"} {
		_, err := ParseEnvFile([]byte("OK=1\n" + bad))
		if err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v, want an error that names line 2", bad, err)
		}
	}
}

func TestLookupOrder(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.env")
	if err := os.WriteFile(file, []byte("USER_NAME=from-file\nONLY_FILE=1\nEMPTY="), 0o600); err != nil {
		t.Fatal(err)
	}
	env, err := New(Options{
		Process: func(n string) (string, bool) {
			v, ok := map[string]string{"USER_NAME": "from-process"}[n]
			return v, ok
		},
		EnvFiles: []string{file},
		Renames:  map[string]string{"TWILIO_USER": "USER_NAME"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, want, origin string }{
		{"USER_NAME", "from-process", "environment variable USER_NAME"},
		{"TWILIO_USER", "from-process", "environment variable USER_NAME"},
		{"ONLY_FILE", "1", "ONLY_FILE in " + file},
	} {
		v, origin, ok := env.Lookup(tt.name)
		if !ok || v.Reveal() != tt.want || origin != tt.origin {
			t.Errorf("%s: %q from %q (%v)", tt.name, v.Reveal(), origin, ok)
		}
	}
	if _, _, ok := env.Lookup("MISSING"); ok || env.Has("MISSING") || env.Has("EMPTY") || !env.Has("ONLY_FILE") {
		t.Error("a variable that is not there was found, or the other way round")
	}
}

// The renames of a namespace hold for its files only, and before those for all.
func TestFor(t *testing.T) {
	env, err := New(Options{
		Process: func(n string) (string, bool) { return n, true },
		Renames: map[string]string{"KEY": "ALL", "mail.KEY": "MAIL", "ma*.KEY": "LIKE_MAIL", "*-x.OTHER": "X", "a.b.KEY": "DOTTED"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		namespaces        []string
		key, other, plain string
	}{
		{nil, "ALL", "OTHER", "PLAIN"},
		{[]string{"voice"}, "ALL", "OTHER", "PLAIN"},
		{[]string{"mail", "mail-rest"}, "MAIL", "OTHER", "PLAIN"},
		{[]string{"maps"}, "LIKE_MAIL", "OTHER", "PLAIN"},
		{[]string{"voice-x"}, "ALL", "X", "PLAIN"},
		{[]string{"a.b"}, "DOTTED", "OTHER", "PLAIN"},
		{[]string{"a"}, "ALL", "OTHER", "PLAIN"},
	} {
		own := env.For(c.namespaces...)
		for variable, want := range map[string]string{"KEY": c.key, "OTHER": c.other, "PLAIN": c.plain} {
			if v, _, ok := own.Lookup(variable); !ok || v.Reveal() != want {
				t.Errorf("%v: %s is %q, want %q", c.namespaces, variable, v.Reveal(), want)
			}
		}
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, namespace string
		want               bool
	}{
		{"a", "a", true},
		{"a", "ab", false},
		{"", "", true},
		{"*", "", true},
		{"*", "ab", true},
		{"a*", "ab", true},
		{"a*", "b", false},
		{"*b", "ab", true},
		{"*b", "ba", false},
		{"a*c*e", "abcde", true},
		{"a*c*e", "abde", false},
		{"a*a", "a", false},
		{"**", "x", true},
	} {
		if got := Matches(c.pattern, c.namespace); got != c.want {
			t.Errorf("%q means %q: %t", c.pattern, c.namespace, got)
		}
	}
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"s.yaml": "A: one\nN: 7\nmap: {x: 1}\n", "s.json": `{"A":"two"}`, "s.env": "A=three", "bad.yaml": "secret: [hunter2"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ location, want string }{
		{"file:///./s.yaml", "one"}, {"file://./s.json", "two"}, {"file://" + filepath.ToSlash(filepath.Join(dir, "s.env")), "three"},
	} {
		values, err := File(tt.location, dir)
		if err != nil {
			t.Errorf("%s: %v", tt.location, err)
			continue
		}
		if got := values["A"].Reveal(); got != tt.want {
			t.Errorf("%s: A is %q, want %q", tt.location, got, tt.want)
		}
	}
	for _, tt := range []struct{ location, want string }{
		{"vault://x/y", "no provider for vault:"}, {"file:///./none.yaml", "there is no file"}, {"file:///./bad.yaml", "not valid YAML"}, {"file://host/x", "another host"},
	} {
		_, err := File(tt.location, dir)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q", tt.location, err, tt.want)
		}
	}
}

func FuzzParseEnvFile(f *testing.F) {
	f.Add([]byte("A=1\nB='x'\nC=\"\\n\""))
	f.Fuzz(func(t *testing.T, data []byte) {
		values, err := ParseEnvFile(data)
		if err != nil {
			return
		}
		for name := range values {
			if !isName(name) {
				t.Errorf("%q is not a name", name)
			}
		}
	})
}

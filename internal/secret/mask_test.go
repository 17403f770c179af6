package secret

import (
	"bytes"
	"strings"
	"testing"
)

func TestMask(t *testing.T) {
	var m Mask
	if got := m.String("hunter2 is safe"); got != "hunter2 is safe" {
		t.Errorf("an empty mask: %q", got)
	}
	m.Add(New("hunter2"), New("a/b+c \"d\""), New("short"), New(""))
	for given, want := range map[string]string{
		"token hunter2, again hunter2": "token [redacted], again [redacted]",
		"Basic aHVudGVyMg==":           "Basic [redacted]",
		"?key=a%2Fb%2Bc+%22d%22&x=1":   "?key=[redacted]&x=1",
		`{"key":"a/b+c \"d\""}`:        `{"key":"[redacted]"}`,
		"short words stay":             "short words stay",
		"":                             "",
	} {
		if got := m.String(given); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
		if got := string(m.Bytes([]byte(given))); got != want {
			t.Errorf("%q as bytes: %q, want %q", given, got, want)
		}
	}
	text := []byte("nothing here")
	if got := m.Bytes(text); &got[0] != &text[0] {
		t.Error("a text without secrets was copied")
	}
	var none *Mask
	none.Add(New("hunter2"))
	if none.String("hunter2") != "hunter2" {
		t.Error("a nil mask masks")
	}
}

func TestMaskWriter(t *testing.T) {
	var m Mask
	var out bytes.Buffer
	w := m.Writer(&out)
	m.Add(New("hunter2")) // learned after the writer was made
	line := "level=INFO cause=hunter2\n"
	if n, err := w.Write([]byte(line)); err != nil || n != len(line) {
		t.Errorf("%d, %v", n, err)
	}
	if strings.Contains(out.String(), "hunter2") {
		t.Errorf("%s", out.String())
	}
}

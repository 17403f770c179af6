package secret

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strconv"
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

// TestMaskOverlaps: of two secrets that begin alike the longer one goes, and one
// within another goes with it.
func TestMaskOverlaps(t *testing.T) {
	var m Mask
	m.Add(New("abcdef"), New("abcdefghij"))
	m.Add(New("abcdefgh"), New("abcdef"), New("defghklmno"))
	for given, want := range map[string]string{
		"abcdefghij": "[redacted]", "abcdefghx": "[redacted]x", "abcdefgx": "[redacted]gx", "abcdeabcdef": "abcde[redacted]", "abcdefabcdef": "[redacted][redacted]", "abcde": "abcde",
		"xabcdefghklmnoy": "x[redacted]y",
	} {
		if got := m.String(given); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}

// FuzzMask holds the search against a plain one.
func FuzzMask(f *testing.F) {
	f.Add("a text with hunter2 in it", "hunter2", "hunter22")
	f.Add("abcdefabcdefg", "abcdef", "cdefab")
	f.Fuzz(func(t *testing.T, s, one, two string) {
		var m Mask
		m.Add(New(one), New(two))
		got := m.String(s)
		if again := string(m.Bytes([]byte(s))); again != got {
			t.Errorf("%q and %q", got, again)
		}
		rest := strings.ReplaceAll(got, Redacted, "\x00")
		for _, secret := range []string{one, two} {
			if len(secret) >= shortest && !strings.Contains(Redacted, secret) && strings.Contains(rest, secret) {
				t.Errorf("%q holds %q", got, secret)
			}
		}
		if got != s && !strings.Contains(got, Redacted) {
			t.Errorf("%q became %q", s, got)
		}
	})
}

// BenchmarkMask looks through a line of the log that holds no secret.
func BenchmarkMask(b *testing.B) {
	line := []byte(`{"time":"2026-11-27T13:11:28.370Z","level":"INFO","msg":"request","protocol":"rest","adapter":"flex-interactions-rest","method":"GET","route":"/v1/interactions/{interactionsid}","operation":"fetchinteraction","status":200,"duration":597400,"request_id":"e1f8f125-1","trace_id":"1e0f4ce4448678117a222e64c7f10033"}` + "\n")
	for _, n := range []int{2, 2000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			var m Mask
			for i := range n {
				m.Add(New(fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i), byte(i >> 8)}))))
			}
			b.ReportAllocs()
			for b.Loop() {
				m.Bytes(line)
			}
		})
	}
}

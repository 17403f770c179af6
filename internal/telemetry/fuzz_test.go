package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
)

// FuzzParseHeaders: what is read can be sent as headers; errors repeat nothing.
func FuzzParseHeaders(f *testing.F) {
	for _, seed := range []string{"a=b", "a=b,c=d%20e", "a", "=b", "a=%0d%0ab", "a=%zz", ",", "a b=c", "a=b=c", " a = b "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		headers, err := ParseHeaders(text)
		if err != nil && len(text) > 60 && strings.Contains(err.Error(), text) {
			t.Errorf("an error that repeats %q", text)
		}
		for name, value := range headers {
			if name == "" || strings.ContainsFunc(name, notToken) || strings.ContainsAny(value.Reveal(), "\r\n\x00") {
				t.Errorf("%q gives %q: %q", text, name, value.Reveal())
			}
		}
	})
}

// FuzzLog: whatever a caller puts where a method or an operation stands, a request
// is one line of bounded length, in both formats.
func FuzzLog(f *testing.F) {
	f.Add("GET", "read", "1")
	f.Add("G\nET", "\x1b[2J", "\u202e")
	f.Add("\xff", `","level":"ERROR`, strings.Repeat("a", 300))
	f.Fuzz(func(t *testing.T, method, cause, id string) {
		for _, format := range []string{"text", "json"} {
			var out bytes.Buffer
			log, err := NewLog(&out, format, slog.LevelDebug)
			if err != nil {
				t.Fatal(err)
			}
			NewLogger(log).Log(context.Background(), &Access{Protocol: "rest", Method: method, RequestID: NewIDs().Accept(id), Status: 200})
			line := out.String()
			if strings.Count(line, "\n") != 1 || len(line) > 1000 || format == "json" && !json.Valid([]byte(line)) || strings.ContainsAny(line, "\x1b\r\x7f") {
				t.Errorf("%s: %q", format, line)
			}
			if len(causeOf(errorText(cause), nil)) > 600 {
				t.Errorf("a cause of %d bytes", len(causeOf(errorText(cause), nil)))
			}
		}
	})
}

type errorText string

func (e errorText) Error() string { return string(e) }

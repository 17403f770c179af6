package attack

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
)

// TestLogInjection: a caller gives names and values that would forge a line of
// the log, hide one, or take over the terminal that shows it, and such as fill
// the disk. Each request makes one line, of printable characters and of bounded
// length, in both formats; so do audit lines.
func TestLogInjection(t *testing.T) {
	const forged = "level=ERROR msg=forged"
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			s := serve(t, setting{capability: loose, logFormat: format})
			huge := strings.Repeat("A", 50<<10)
			values := []string{"a\ntime=now " + forged, "a\r\n" + `{"level":"ERROR","msg":"forged"}`, `","level":"ERROR","msg":"forged`, "\x1b[2J\x1b]0;evil\x07", "\u202e\u2066evil", "a\u2028b", "\x00", huge}
			requests := 0
			for _, value := range values {
				escaped := url.PathEscape(value)
				heads := []string{
					"GET /" + escaped, "GET /items/" + escaped + "/b", "GET /items/a/b?q=" + url.QueryEscape(value), "POST /items/a/b\nIdempotency-Key: " + escaped, "GET /items/a/b\nX-Request-Id: " + escaped,
					"GET /items/a/b\nTraceparent: " + escaped + "\nBaggage: " + escaped, "GET /items/a/b\nUser-Agent: " + escaped, "GET /items/a/b\nHost: " + escaped, "GET /items/a/b\nOrigin: " + escaped,
				}
				if value == huge {
					heads = append(heads, huge+" /items/a/b", huge+" /items/a/b\nHost: evil.example", huge+" /mcp")
				}
				for _, head := range heads {
					for _, host := range s.listeners() {
						s.send(host, request(host, head, ""))
						requests++
					}
				}
				for _, era := range eras {
					s.one(s.mcp, s.toolCall(era, "read", `{"id":`+quote(value)+`,"part":"b","X-Tag":`+quote(value)+`}`, ""))
					s.one(s.mcp, request(s.mcp, "POST /mcp\nContent-Type: application/json\nMCP-Protocol-Version: "+era, `{"jsonrpc":"2.0","id":`+quote(value)+`,"method":`+quote(value)+`,"params":{"name":`+quote(value)+`,"_meta":{"io.modelcontextprotocol/protocolVersion":`+quote(value)+`}}}`))
					s.one(s.mcp, s.toolCall(era, "write", `{"id":"a","part":"b","body":{"a":`+quote(value)+`}}`, `,"x":`+quote(value)))
				}
			}
			s.upstream.take()
			audit, err := os.ReadFile(s.audit)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(audit), `"operation":"write"`) {
				t.Errorf("nothing was audited: %s", audit)
			}
			lines(t, string(audit), "json")
			lines(t, s.log.String(), format)
		})
	}
}

// lines looks that every line of a log is one, and that nobody forged it.
func lines(t *testing.T, log, format string) {
	t.Helper()
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		if len(line) > 2000 {
			t.Errorf("a line of %d bytes: %.300s", len(line), line)
		}
		if strings.ContainsFunc(line, func(r rune) bool {
			return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u202e' || r == '\u2066'
		}) {
			t.Errorf("control characters in %.300q", line)
		}
		if format == "json" {
			var entry struct{ Level, Msg string }
			if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Msg == "forged" || entry.Level == "ERROR" {
				t.Errorf("%v: %.300s", err, line)
			}
			continue
		}
		if !strings.HasPrefix(line, "time=") || strings.Contains(line, " level=ERROR ") {
			t.Errorf("%.300s", line)
		}
	}
}

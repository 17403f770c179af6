package engine_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"patchbay/internal/deploy"
	"patchbay/internal/engine"
	"patchbay/internal/secret"
)

// auditLines are the audit lines of a site whose log has them.
func (s *site) auditLines() []map[string]any {
	s.t.Helper()
	var out []map[string]any
	for line := range strings.Lines(s.log.String()) {
		if !strings.Contains(line, `"msg":"audit"`) {
			continue
		}
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			s.t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// TestAuditOutcomes: the audit line says of the effect of a call what its caller
// is told of it, also where that is an answer and not a fault, and where the
// answer is an earlier request's. The last requests say the same.
func TestAuditOutcomes(t *testing.T) {
	post := "POST /v1/interactions\nContent-Type: application/json\nAuthorization: none\n\n" + anyBody
	_, tool, arguments := create(anyBody)
	again := func(calls ...string) []string { return calls }
	for _, c := range []struct {
		name     string
		upstream http.HandlerFunc
		requests []string
		// want is the last audit line's, header what the REST answer says; ""
		// where it says nothing.
		want, header string
		replayed     bool
	}{
		{name: "a success", upstream: answersJSON(201, `{}`), requests: again(post), want: "done"},
		{name: "a refusal", upstream: answersJSON(400, twilioError(45004, 400, "no")), requests: again(post), want: "refused_by_upstream"},
		{name: "an error that leaves it open", upstream: answersJSON(503, twilioError(20503, 503, "later")), requests: again(post), want: "unknown", header: "unknown"},
		{name: "a promise that nothing was processed", upstream: answersJSON(429, `{}`, "Retry-After: 30"), requests: again(post), want: "rejected", header: "rejected"},
		{name: "no answer", upstream: cuts, requests: again(post), want: "unknown"},
		{name: "a success again", upstream: answersJSON(201, `{}`), requests: again(keyed("k", anyBody), keyed("k", anyBody)), want: "done", replayed: true},
		{name: "a refusal again", upstream: answersJSON(400, `{}`), requests: again(keyed("k", anyBody), keyed("k", anyBody)), want: "refused_by_upstream", replayed: true},
		{name: "what is open again", upstream: answersJSON(503, `{}`), requests: again(keyed("k", anyBody), keyed("k", anyBody)), want: "unknown", header: "unknown", replayed: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, settings{options: withControl})
			s.upstream.script(c.upstream)
			var a *answer
			for _, r := range c.requests {
				a = s.REST(r)
			}
			judge := func(protocol string) {
				t.Helper()
				lines := s.auditLines()
				last := lines[len(lines)-1]
				if replayed, _ := last["replayed"].(bool); last["outcome"] != c.want || replayed != c.replayed || last["protocol"] != protocol {
					t.Errorf("%s: %v", protocol, last)
				}
			}
			judge("rest")
			if got := a.header.Get("Patchbay-Outcome"); got != c.header {
				t.Errorf("the answer says %q", got)
			}
			view := s.get(s.control(), "/traces?limit=1").body
			if c.header != "" && !strings.Contains(view, `"outcome":"`+c.header+`"`) || strings.Contains(view, `"replayed":true`) != c.replayed {
				t.Error(view)
			}
			for range c.requests {
				call := legacyCall(tool, arguments)
				if c.replayed {
					call = strings.Replace(call, `"arguments":`, `"_meta":{"patchbay/idempotencyKey":"k"},"arguments":`, 1)
				}
				s.send(s.mcp, call)
			}
			judge("mcp")
		})
	}
}

// TestAuditOfHalfDoneSteps: where a step failed, the audit line names those before
// it that took effect, whether it was answered with an error or not at all.
func TestAuditOfHalfDoneSteps(t *testing.T) {
	for name, c := range map[string]struct {
		raise http.HandlerFunc
		want  string
	}{
		"a refusal":                    {answersJSON(400, `{"no":true}`), "refused_by_upstream"},
		"an error that leaves it open": {answersJSON(503, `{"no":true}`), "unknown"},
		"no answer":                    {cuts, "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, settings{capability: fleet, options: withControl})
			s.upstream.script(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/crew") {
					answersJSON(200, `{"id":"7","file":"f7","grade":"A"}`)(w, r)
					return
				}
				c.raise(w, r)
			})
			s.REST("POST /promotions/7?amount=1&reason=x\nAuthorization: none\n")
			s.send(s.mcp, "POST /mcp\nContent-Type: application/json\nAuthorization: none\n\n"+callMessage(1, "promotion", `{"id":"7","amount":1,"reason":"x"}`, ""))
			lines := s.auditLines()
			if len(lines) != 2 {
				t.Fatalf("%d lines: %v", len(lines), lines)
			}
			for _, line := range lines {
				if line["outcome"] != c.want || fmt.Sprint(line["effects"]) != "[promote]" {
					t.Errorf("%v", line)
				}
			}
			if view := s.get(s.control(), "/traces").body; strings.Count(view, `"effects":["promote"]`) < 2 {
				t.Error(view)
			}
		})
	}
}

// TestAuditOfDenials: whoever may not make a call leaves a line, whichever way it
// came, and one line in the log.
func TestAuditOfDenials(t *testing.T) {
	issuer := newAuthorizationServer(t)
	s := serve(t, settings{options: withTokens(issuer, nil)})
	header := "Content-Type: application/json\nAuthorization: Bearer " + issuer.token("ada", "flex", nil) + "\n"
	for protocol, ask := range map[string]func() *answer{
		"rest": func() *answer { return s.REST("POST /v1/interactions\n" + header + "\n" + anyBody) },
		"mcp": func() *answer {
			return s.send(s.mcp, "POST /mcp\n"+header+"\n"+callMessage(7, "twilio-create-interaction", `{"body":`+anyBody+`}`, ""))
		},
	} {
		audited, logged := len(s.auditLines()), len(requestLines(t, s.log.String()))
		a := ask()
		lines := s.auditLines()[audited:]
		if a.status != http.StatusForbidden || len(lines) != 1 || len(requestLines(t, s.log.String()))-logged != 1 {
			t.Errorf("%s: %d with the audit lines %v", protocol, a.status, lines)
			continue
		}
		if l := lines[0]; l["protocol"] != protocol || l["outcome"] != "no_call" || l["fault"] != "forbidden" || l["caller"] != "ada" || l["result"] != "refused" {
			t.Errorf("%s: %v", protocol, l)
		}
	}
}

// TestAuditFileIsPrivate: only its owner reads the file, also where it was there
// before with more rights, or was made anew by whoever moved it away. What is no
// file of our own stays as it is.
func TestAuditFileIsPrivate(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "audit.jsonl")
	open := func(mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte("before\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // whatever the umask says
			t.Fatal(err)
		}
	}
	private := func() {
		t.Helper()
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info.Mode(), err)
		}
		if text, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(text), "before\n") {
			t.Errorf("%q %v", text, err)
		}
	}
	open(0o644)
	s := serve(t, settings{options: func(o *deploy.Options) { o.Telemetry.Audit = path }})
	private()
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	open(0o666)
	if err := s.engine.ReopenAudit(); err != nil {
		t.Fatal(err)
	}
	private()

	opts := deploy.Defaults()
	opts.Telemetry.Audit = "/dev/null"
	before, err := os.Stat("/dev/null")
	if err != nil {
		t.Skip(err)
	}
	if _, err := engine.NewObservation(&opts, slog.New(slog.DiscardHandler), &secret.Mask{}, testVersion); err != nil {
		t.Error(err)
	}
	if after, err := os.Stat("/dev/null"); err != nil || after.Mode() != before.Mode() {
		t.Errorf("%v became %v: %v", before.Mode(), after.Mode(), err)
	}
}

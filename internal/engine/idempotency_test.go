package engine_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"patchbay/internal/deploy"
)

// keyed is a create with an idempotency key.
func keyed(key, body string) string {
	return "POST /v1/interactions\nContent-Type: application/json\nAuthorization: none\nIdempotency-Key: " + key + "\n\n" + body
}

// otherBody is a valid body that is not anyBody.
var otherBody = strings.Replace(anyBody, "web", "sms", 1)

const key = "8e03978e-40d5-43dd-bc93-6894a57f9324"

// TestIdempotencyKeys: what a repeated request gets, and how often the upstream
// was asked for it.
func TestIdempotencyKeys(t *testing.T) {
	created := answersJSON(201, `{"sid":"KD1"}`)
	for _, test := range []struct {
		name string
		// first and second are what the upstream does with the first request and
		// with a second one, should it come.
		first, second http.HandlerFunc
		request       string
		again         string // "" is the same request
		// What the callers are told, and the requests that arrived in the end.
		status, repeated int
		replayed         bool
		says             string
		sent             int
	}{
		{name: "a success", first: created, status: 201, repeated: 201, replayed: true, says: `{"sid":"KD1"}`, sent: 1},
		{name: "the key in quotes", first: created, again: keyed(`"`+key+`"`, anyBody), status: 201, repeated: 201, replayed: true, sent: 1},
		{name: "another order and other spaces", first: created, again: keyed(key, `{ "Routing": `+anyRouting+`, "Channel" : `+anyChannel+`}`), status: 201, repeated: 201, replayed: true, sent: 1},
		{name: "a refusal", first: answersJSON(400, twilioError(45004, 400, "no")), second: created, status: 400, repeated: 400, replayed: true, says: "45004", sent: 1},
		{name: "an error that leaves it open", first: answersJSON(503, twilioError(20503, 503, "later")), second: created, status: 503, repeated: 503, replayed: true, says: "20503", sent: 1},
		{name: "a promise that nothing was processed", first: answersJSON(429, `{}`, "Retry-After: 30"), second: created, status: 429, repeated: 201, says: "KD1", sent: 2},
		{name: "credentials that were not accepted", first: answersJSON(401, twilioError(20003, 401, "Authenticate")), second: created, status: 401, repeated: 201, says: "KD1", sent: 2},
		{name: "no answer", first: cuts, second: created, status: 502, repeated: 409, says: `"outcome":"unknown"`, sent: 1},
		{name: "an answer that is none", first: answers(200, htmlPage, "Content-Type: text/html"), second: created, status: 502, repeated: 502, replayed: true, says: `"outcome":"answered"`, sent: 1},
		{name: "an answer that is cut", first: truncated, second: created, status: 502, repeated: 502, replayed: true, says: `"outcome":"answered"`, sent: 1},
		{name: "another body", first: created, again: keyed(key, otherBody), status: 201, repeated: 422, says: "idempotency-key-reused", sent: 1},
		{name: "another key", first: created, second: answersJSON(201, `{"sid":"KD2"}`), again: keyed(key+"2", anyBody), status: 201, repeated: 201, says: "KD2", sent: 2},
		{name: "another operation", first: created, again: "POST /v1/interactions/" + interaction + "/channels/UO9c8b7a6d5e4f30211223344556677889\nContent-Type: application/json\nAuthorization: none\nIdempotency-Key: " + key + "\n\n{\"Status\":\"closed\"}", status: 201, repeated: 422, sent: 1},
		{name: "a request that was refused here", first: created, request: keyed(key, `{}`), again: keyed(key, anyBody), status: 400, repeated: 201, sent: 1},
		{name: "a read", first: answersJSON(200, `{"n":1}`), second: answersJSON(200, `{"n":2}`), request: "GET /v1/interactions/" + interaction + "\nAuthorization: none\nIdempotency-Key: \n\n", status: 200, repeated: 200, says: `{"n":2}`, sent: 2},
		{name: "no key", first: created, request: keyed(`""`, anyBody), status: 400, repeated: 400, says: "Idempotency-Key", sent: 0},
		{name: "a key that is too long", first: created, request: keyed(strings.Repeat("k", 256), anyBody), status: 400, repeated: 400, sent: 0},
		{name: "two keys", first: created, request: strings.Replace(keyed("a", anyBody), "\n\n", "\nIdempotency-Key: b\n\n", 1), status: 400, repeated: 400, sent: 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, settings{})
			request := test.request
			if request == "" {
				request = keyed(key, anyBody)
			}
			again := test.again
			if again == "" {
				again = request
			}
			sent := 0
			s.upstream.script(test.first)
			first := s.send(s.rest, request)
			sent += len(s.upstream.take())
			if test.second != nil {
				s.upstream.script(test.second)
			}
			if first.status != test.status || first.header.Get("Idempotency-Replayed") != "" {
				t.Errorf("the first got %s", first)
			}
			for range 2 { // what was replayed once is replayed again
				repeated := s.send(s.rest, again)
				requests := s.upstream.take()
				s.checkUpstream(requests)
				sent += len(requests)
				if replayed := repeated.header.Get("Idempotency-Replayed") == "true"; repeated.status != test.repeated || replayed != test.replayed || !strings.Contains(repeated.body, test.says) {
					t.Errorf("the repetition got %s", repeated)
				}
				if test.replayed && test.repeated < 400 && (repeated.body != first.body || repeated.header.Get("Content-Type") != first.header.Get("Content-Type")) {
					t.Errorf("the repetition got %s\nthe first %s", repeated, first)
				}
				if test.sent > 1 || !test.replayed && test.repeated < 400 {
					break // it was not repeated
				}
			}
			if sent != test.sent {
				t.Errorf("the upstream got %d requests, want %d", sent, test.sent)
			}
			if strings.Contains(s.log.String(), key) || strings.Contains(s.answers.String(), key) {
				t.Errorf("the key was written down:\n%s\n%s", s.log, s.answers)
			}
		})
	}
}

// TestIdempotencyOpen: as long as the key lives, an unknown outcome stays unknown.
func TestIdempotencyOpen(t *testing.T) {
	s := serve(t, settings{})
	s.upstream.script(cuts)
	s.send(s.rest, keyed(key, anyBody))
	s.upstream.script(answersJSON(201, `{}`))
	for range 5 {
		a := s.send(s.rest, keyed(key, anyBody))
		if a.status != 409 || !strings.Contains(a.body, `problems#idempotency-conflict`) || !strings.Contains(a.body, `"outcome":"unknown"`) {
			t.Errorf("%s", a)
		}
	}
	if n := len(s.upstream.take()); n != 0 {
		t.Errorf("the upstream got %d requests more", n)
	}
}

// TestIdempotencyNotSent: what never left may be sent again.
func TestIdempotencyNotSent(t *testing.T) {
	s := serve(t, settings{upstreamURL: "http://" + closedPort(t) + "/v1"})
	for range 2 {
		if a := s.send(s.rest, keyed(key, anyBody)); a.status != 502 || !strings.Contains(a.body, `"outcome":"not_sent"`) || a.header.Get("Idempotency-Replayed") != "" {
			t.Errorf("%s", a)
		}
	}
}

// TestIdempotencyOff: an operator may take no keys.
func TestIdempotencyOff(t *testing.T) {
	s := serve(t, settings{options: func(o *deploy.Options) { o.Idempotency.Off = true }})
	for range 2 {
		s.send(s.rest, keyed(key, anyBody))
	}
	if n := len(s.upstream.take()); n != 2 {
		t.Errorf("%d requests", n)
	}
}

// TestIdempotencyTwins: requests with one key at the same time are one request.
func TestIdempotencyTwins(t *testing.T) {
	s := serve(t, settings{})
	arrived, release := make(chan struct{}, 10), make(chan struct{})
	s.upstream.script(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-release
		answersJSON(201, `{"sid":"KD1"}`)(w, r)
	})
	var calls sync.WaitGroup
	answers := make(chan *answer, 10)
	for range 10 {
		calls.Go(func() { answers <- s.send(s.rest, keyed(key, anyBody)) })
	}
	<-arrived
	close(release)
	calls.Wait()
	close(answers)
	originals := 0
	for a := range answers {
		if a.status != 201 || a.body != `{"sid":"KD1"}` {
			t.Errorf("%s", a)
		}
		if a.header.Get("Idempotency-Replayed") == "" {
			originals++
		}
	}
	if n := len(s.upstream.take()); n != 1 || originals != 1 {
		t.Errorf("%d requests, %d answers that are not repeated", n, originals)
	}
}

// TestIdempotencyWithoutCaller: a caller that loses its connection gets the answer
// when it asks again.
func TestIdempotencyWithoutCaller(t *testing.T) {
	s := serve(t, settings{})
	arrived, release := make(chan struct{}), make(chan struct{})
	s.upstream.script(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-release
		answersJSON(201, `{"sid":"KD1"}`)(w, r)
	})
	c, err := net.Dial("tcp", s.rest)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, message(s.rest, keyed(key, anyBody))); err != nil {
		t.Fatal(err)
	}
	<-arrived
	_ = c.Close()
	close(release)
	a := s.send(s.rest, keyed(key, anyBody))
	if a.status != 201 || a.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%s", a)
	}
	if n := len(s.upstream.take()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestIdempotencyTools: the key of a tool call is in _meta, in both eras.
func TestIdempotencyTools(t *testing.T) {
	_, tool, arguments := create(anyBody)
	member := func(value string) string { return `"patchbay/idempotencyKey":` + value }
	for era, call := range map[string]func(tool, arguments, member string) string{
		"legacy": func(tool, arguments, member string) string {
			return strings.Replace(legacyCall(tool, arguments), `"arguments":`, `"_meta":{`+member+`},"arguments":`, 1)
		},
		"modern": func(tool, arguments, member string) string {
			return strings.Replace(modernCall(tool, arguments), `"_meta":{`, `"_meta":{`+member+`,`, 1)
		},
	} {
		t.Run(era, func(t *testing.T) {
			s := serve(t, settings{})
			n := 0
			s.upstream.script(func(w http.ResponseWriter, r *http.Request) {
				n++
				answersJSON(201, fmt.Sprintf(`{"sid":"KD%d"}`, n))(w, r)
			})
			say := func(tool, arguments, value string) string {
				return s.send(s.mcp, call(tool, arguments, member(value))).body
			}
			first, second := say(tool, arguments, `"k1"`), say(tool, arguments, `"k1"`)
			if !strings.Contains(first, `"sid":"KD1"`) || strings.Contains(first, "replayed") {
				t.Errorf("the first got %s", first)
			}
			if !strings.Contains(second, `"sid":"KD1"`) || !strings.Contains(second, `"patchbay/replayed":true`) || strings.Count(second, `"_meta"`) != 1 {
				t.Errorf("the second got %s", second)
			}
			if other := say(tool, arguments, `"k2"`); !strings.Contains(other, `"sid":"KD2"`) {
				t.Errorf("another key got %s", other)
			}
			if other := say(tool, `{"body":`+otherBody+`}`, `"k1"`); !strings.Contains(other, "was used for a different request") || !strings.Contains(other, `"isError":true`) {
				t.Errorf("another body got %s", other)
			}
			for _, bad := range []string{`7`, `""`, `null`, `{}`, `"a b"`} {
				if got := say(tool, arguments, bad); !strings.Contains(got, "the idempotency key is not") && !strings.Contains(got, "The idempotency key is not") {
					t.Errorf("the key %s got %s", bad, got)
				}
			}
			read := `{"InteractionSid":"` + interaction + `"}`
			say("twilio-fetch-interaction", read, `"k3"`)
			say("twilio-fetch-interaction", read, `"k3"`)
			if n := len(s.upstream.take()); n != 4 {
				t.Errorf("%d requests, want two creates and two reads", n)
			}
			s.upstream.script(cuts)
			say(tool, arguments, `"k4"`)
			s.upstream.script(answersJSON(201, `{}`))
			if got := say(tool, arguments, `"k4"`); !strings.Contains(got, "Outcome: unknown") {
				t.Errorf("%s", got)
			}
			// A key of one adapter says nothing about another's.
			s.send(s.rest, keyed("k1", anyBody))
			if n := len(s.upstream.take()); n != 1 {
				t.Errorf("%d requests, want one by REST", n)
			}
		})
	}
}

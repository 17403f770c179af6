package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// exchange is one request below the mount on its way through the kernel.
type exchange struct {
	started time.Time
	id      string
	path    string // below the mount, escaped, not bounded
	faults  faultSet
	form    form
	reply   reply
}

// reply is an answer ready to be sent.
type reply struct {
	status int
	header http.Header // besides the provider's own
	body   []byte
	html   bool // an edge's page: none of the provider's headers
}

// serveAPI answers a request to the simulated API: process, note, then send,
// in this order, so that slow and cut leave nothing undone.
func (s *Sandbox) serveAPI(w http.ResponseWriter, r *http.Request) {
	concurrent := s.inflight.Add(1)
	defer s.inflight.Add(-1)

	x := &exchange{started: s.now(), path: r.URL.EscapedPath()}
	s.mu.Lock()
	x.id = s.entropy.sid("RQ")
	_ = s.entropy.take() // an identifier of zeros harms nobody
	s.mu.Unlock()
	if below, ok := strings.CutPrefix(x.path, s.provider.mount+"/"); ok {
		x.path = "/" + below
	}

	x.reply = s.process(r, x)
	s.note(r, x)

	if f, ok := x.faults.get(FaultSlow); ok && !s.delay(r, f) {
		return // the client is gone
	}
	if x.faults.has(FaultCut) && hangUp(w) {
		return
	}
	s.send(w, r, x, concurrent)
}

// process carries a request out and words its answer.
func (s *Sandbox) process(r *http.Request, x *exchange) reply {
	user, why, ok := s.gate.admit(r)
	if !ok {
		return s.refuse(why, "")
	}
	var rt *route
	var sids []string
	if strings.HasPrefix(r.URL.EscapedPath(), s.provider.mount+"/") {
		rt, sids = match(s.provider.routes, x.path)
	}
	var m *method
	if rt != nil {
		m = rt.method(r.Method)
	}
	if ref := s.takeFaults(r, x, m); ref != nil {
		return s.encodeRefusal(ref)
	}
	if rep, ok := s.refuseByFault(x); ok {
		return rep
	}
	switch {
	case rt == nil:
		return s.refuse(notFound, x.path)
	case m == nil:
		return s.refuse(notAllowed, rt.allow())
	}
	if ref := s.readForm(r, x); ref != nil {
		return s.encodeRefusal(ref)
	}
	return s.run(r, x, m, &call{
		sids:      sids,
		path:      brief(x.path),
		query:     r.URL.Query(),
		form:      x.form,
		base:      s.base(r),
		user:      user,
		failSetup: x.faults.has(FaultFailedSetup),
	})
}

// takeFaults decides what the request suffers: what its header names, or its
// turn of the script. m is nil where the request fits no route.
func (s *Sandbox) takeFaults(r *http.Request, x *exchange, m *method) *refusal {
	applies := func(kind FaultKind) bool {
		switch kind {
		case FaultFailedSetup:
			return m != nil && m.creates
		case FaultNotFoundOnce:
			return m != nil && m.name == http.MethodGet
		default:
			return true
		}
	}
	if values := r.Header.Values("Sandbox-Fault"); len(values) > 0 {
		faults, err := ParseFaults(strings.Join(values, ","))
		if err != nil {
			return &refusal{status: http.StatusBadRequest, message: "Sandbox-Fault: " + brief(err.Error())}
		}
		x.faults = slices.DeleteFunc(faults, func(f Fault) bool { return !applies(f.Kind) })
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x.faults = s.script.take(applies)
	return nil
}

// refuseByFault answers requests that a fault keeps from being processed.
func (s *Sandbox) refuseByFault(x *exchange) (reply, bool) {
	if f, ok := x.faults.get(FaultThrottled); ok {
		wait := f.Delay
		if wait == 0 {
			wait = defaultRetryWait
		}
		return retryAfter(s.refuse(throttled, ""), wait), true
	}
	if f, ok := x.faults.get(FaultUnavailable); ok {
		rep := s.refuse(unavailable, "")
		if f.Delay > 0 {
			rep = retryAfter(rep, f.Delay)
		}
		return rep, true
	}
	if x.faults.has(FaultHTML502) {
		return reply{status: http.StatusBadGateway, html: true, body: []byte(badGatewayPage)}, true
	}
	if x.faults.has(FaultNotFoundOnce) {
		return s.refuse(notFound, x.path), true
	}
	return reply{}, false
}

const badGatewayPage = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n" +
	"<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"

func retryAfter(rep reply, wait time.Duration) reply {
	if rep.header == nil {
		rep.header = http.Header{}
	}
	rep.header.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	return rep
}

func (s *Sandbox) readForm(r *http.Request, x *exchange) *refusal {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return &refusal{status: http.StatusBadRequest, message: "The request body could not be read"}
	}
	if len(body) > maxBody {
		return s.provider.refuse(tooLarge, "body of more than 1 MiB")
	}
	x.form, err = parseForm(r.Header.Get("Content-Type"), body)
	if errors.Is(err, errTooManyFields) {
		return s.provider.refuse(tooLarge, "more than 1000 parameters")
	}
	return nil
}

// run calls the endpoint and encodes its value while nothing can change it.
func (s *Sandbox) run(r *http.Request, x *exchange, m *method, c *call) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.now = s.now()
	value, ref := m.run(c)
	if err := s.entropy.take(); err != nil {
		return s.refuse(internal, "no randomness for SIDs")
	}
	if ref != nil {
		return s.encodeRefusal(ref)
	}
	body, err := encode(value)
	if err != nil {
		return s.refuse(internal, "answer not encodable")
	}
	if x.faults.has(FaultExtraFields) {
		body = append([]byte(extraFields), bytes.TrimPrefix(body, []byte("{"))...)
	}
	return reply{status: http.StatusOK, body: body}
}

// extraFields opens an object with members of every JSON type that no document
// mentions, among them numbers that a float64 cannot hold or would reformat.
const extraFields = `{"sandbox_extra":{"text":"é \u2028 <&>","null":null,"flag":true,` +
	`"list":[1,2.50,1e3,9007199254740993,[]],"object":{}},"sandboxExtraText":"new",`

func (s *Sandbox) refuse(why reason, subject string) reply {
	return s.encodeRefusal(s.provider.refuse(why, subject))
}

func (s *Sandbox) encodeRefusal(ref *refusal) reply {
	body, err := encode(s.provider.errorBody(ref))
	if err != nil { // texts and numbers: cannot happen
		body = []byte("{}")
	}
	header := ref.header
	if ref.status == http.StatusUnauthorized {
		header = http.Header{"Www-Authenticate": {`Basic realm="` + s.provider.realm + `"`}}
	}
	return reply{status: ref.status, header: header, body: body}
}

// encode writes JSON without escaping <, > and &, and without a final newline.
func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// base is the absolute URL of the mount as the caller sees it.
func (s *Sandbox) base(r *http.Request) string {
	if s.baseURL != "" {
		return s.baseURL
	}
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if host == "" { // HTTP/1.0
		host = "localhost"
	}
	return scheme + "://" + host + s.provider.mount
}

func (s *Sandbox) note(r *http.Request, x *exchange) {
	n := Request{
		Time:        x.started,
		RequestID:   x.id,
		Method:      brief(r.Method),
		Path:        brief(r.URL.EscapedPath()),
		QueryKeys:   briefAll(slices.Sorted(maps.Keys(r.URL.Query()))),
		ContentType: brief(r.Header.Get("Content-Type")),
		FormKeys:    briefAll(x.form.keys),
		Status:      x.reply.status,
		Fault:       x.faults.names(),
	}
	s.mu.Lock()
	s.requests.add(n)
	s.mu.Unlock()
	s.log.LogAttrs(r.Context(), slog.LevelInfo, "sandbox request",
		slog.String("method", n.Method), slog.String("path", n.Path),
		slog.Int("status", n.Status), slog.String("fault", n.Fault),
		slog.String("request_id", n.RequestID))
}

// delay waits out a slow fault and reports whether the client is still there.
func (s *Sandbox) delay(r *http.Request, f Fault) bool {
	wait := f.Delay
	if wait == 0 {
		wait = defaultSlow
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// hangUp closes the connection without an answer and reports whether it could.
// Only HTTP/1 connections can be taken over; elsewhere the answer is sent.
func hangUp(w http.ResponseWriter) bool {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return false
	}
	_ = conn.Close() // the point is that it is gone
	return true
}

func (s *Sandbox) send(w http.ResponseWriter, r *http.Request, x *exchange, concurrent int64) {
	h := w.Header()
	if x.reply.html {
		h.Set("Content-Type", "text/html")
	} else {
		h.Set("Content-Type", "application/json")
		s.provider.decorate(h, traits{
			requestID:  x.id,
			duration:   max(s.now().Sub(x.started), 0),
			concurrent: concurrent,
			fromPage:   r.Header.Get("Origin") != "",
		})
	}
	maps.Copy(h, x.reply.header)
	h.Set("Content-Length", strconv.Itoa(len(x.reply.body)))
	w.WriteHeader(x.reply.status)
	_, _ = w.Write(x.reply.body) // a client that left is not our fault
}

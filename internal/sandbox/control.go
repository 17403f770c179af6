package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

const maxControlBody = 64 << 10

// errTooManyFaults is built once; it says maxArmedFaults in words.
var errTooManyFaults = errors.New("at most 64 faults can be armed")

// serveRoot tells what answers here; it needs no credentials, so that somebody
// who opens the address in a browser is not met by a login box.
func (s *Sandbox) serveRoot(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		controlNotAllowed(w, "GET, HEAD")
		return
	}
	credentials := "HTTP basic: any alphanumeric user name with any password"
	if s.gate.checkUsername || s.gate.checkPass {
		credentials = "HTTP basic: the credentials this sandbox was started with"
	}
	sendControl(w, http.StatusOK, map[string]any{
		"sandbox":     s.provider.name,
		"simulates":   s.provider.title,
		"base_url":    s.base(r),
		"credentials": credentials,
		"seeded":      s.provider.seeds,
		"control":     "/.sandbox/",
		"faults":      FaultKinds(),
	})
}

// serveControl routes the control pages.
func (s *Sandbox) serveControl(w http.ResponseWriter, r *http.Request) {
	// A page of another site must not arm faults or wipe the state; there is
	// nothing an operator could want to widen here.
	if err := s.crossing.Check(r); err != nil {
		controlError(w, http.StatusForbidden, "cross-site request refused")
		return
	}
	page := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/.sandbox"), "/")
	switch {
	case page == "":
		s.serveState(w, r)
	case page == "faults":
		s.serveFaults(w, r)
	case page == "requests":
		s.serveRequests(w, r)
	case strings.HasPrefix(page, "channels/"):
		s.serveEvent(w, r, strings.TrimPrefix(page, "channels/"))
	default:
		controlError(w, http.StatusNotFound, "no such control page; there are /.sandbox/, /.sandbox/faults, /.sandbox/requests and /.sandbox/channels/{SID}")
	}
}

func (s *Sandbox) serveState(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodDelete:
		s.Reset()
	case http.MethodPut, http.MethodPost: // shorthand for the faults page
		s.serveFaults(w, r)
		return
	default:
		controlNotAllowed(w, "GET, HEAD, PUT, POST, DELETE")
		return
	}
	sendControl(w, http.StatusOK, s.state())
}

// state is what the control page shows. Its values are copies: they are
// encoded and sent without the mutex, which a slow reader would else keep.
func (s *Sandbox) state() map[string]any {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]any{
		"sandbox":  s.provider.name,
		"seeded":   s.provider.seeds,
		"faults":   faultNotes(s.script.armed()),
		"requests": s.requests.count,
		"state":    s.provider.world.summary(now),
	}
}

func (s *Sandbox) serveFaults(w http.ResponseWriter, r *http.Request) {
	var faults []Fault
	var err error
	switch r.Method {
	case http.MethodPut, http.MethodPost:
		if faults, err = readFaults(r); err != nil {
			controlError(w, http.StatusBadRequest, err.Error())
			return
		}
	case http.MethodGet, http.MethodHead, http.MethodDelete:
	default:
		controlNotAllowed(w, "GET, HEAD, PUT, POST, DELETE")
		return
	}
	armed, err := s.arm(r.Method, faults)
	if err != nil {
		controlError(w, http.StatusBadRequest, err.Error())
		return
	}
	sendControl(w, http.StatusOK, map[string]any{"faults": faultNotes(armed)})
}

// arm changes the script as the method says and returns what is armed then.
func (s *Sandbox) arm(method string, faults []Fault) ([]Fault, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch method {
	case http.MethodPut, http.MethodDelete:
		s.script.replace(faults)
	case http.MethodPost:
		if len(s.script.faults)+len(faults) > maxArmedFaults {
			return nil, errTooManyFaults
		}
		s.script.extend(faults)
	}
	return s.script.armed(), nil
}

func (s *Sandbox) serveRequests(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodDelete:
		s.mu.Lock()
		s.requests = ring{}
		s.mu.Unlock()
	default:
		controlNotAllowed(w, "GET, HEAD, DELETE")
		return
	}
	s.mu.Lock()
	total, notes := s.requests.count, s.requests.list()
	s.mu.Unlock()
	sendControl(w, http.StatusOK, map[string]any{"total": total, "requests": notes})
}

func (s *Sandbox) serveEvent(w http.ResponseWriter, r *http.Request, sid string) {
	if r.Method != http.MethodPost {
		controlNotAllowed(w, "POST")
		return
	}
	var body struct {
		Event string `json:"event"`
	}
	if err := readControl(r, &body); err != nil {
		controlError(w, http.StatusBadRequest, err.Error())
		return
	}
	if err := s.nudge(sid, body.Event); err != nil {
		controlError(w, http.StatusBadRequest, brief(err.Error()))
		return
	}
	sendControl(w, http.StatusOK, s.state())
}

func (s *Sandbox) nudge(sid, event string) error {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.provider.world.nudge(sid, event, now)
	if failed := s.entropy.take(); err == nil {
		return failed
	}
	return err
}

// faultNote is a fault on the control pages; fault without its count.
type faultNote struct {
	Fault string `json:"fault"`
	Times int    `json:"times"`
}

func faultNotes(faults []Fault) []faultNote {
	notes := make([]faultNote, 0, len(faults))
	for _, f := range faults {
		notes = append(notes, faultNote{Fault: Fault{Kind: f.Kind, Delay: f.Delay}.String(), Times: f.Times})
	}
	return notes
}

// readFaults reads {"fault":"429","times":2}, where fault may be a list as in
// ParseFaults and times replaces every count in it, or {"faults":[...]} of such.
func readFaults(r *http.Request) ([]Fault, error) {
	type entry struct {
		Fault string `json:"fault"`
		Times *int   `json:"times"`
	}
	var body struct {
		entry
		Faults []entry `json:"faults"`
	}
	if err := readControl(r, &body); err != nil {
		return nil, err
	}
	entries := body.Faults
	if body.Fault != "" {
		entries = append([]entry{body.entry}, entries...)
	}
	if len(entries) == 0 && body.Faults == nil {
		return nil, errors.New(`the body must be {"fault":"429","times":2} or {"faults":[...]}`)
	}
	var faults []Fault
	for _, e := range entries {
		parsed, err := ParseFaults(e.Fault)
		if err != nil {
			return nil, err
		}
		for _, f := range parsed {
			if e.Times != nil {
				f.Times = *e.Times
				if f.Times == 0 {
					return nil, errors.New("times must be at least 1, or -1 for always")
				}
			}
			if err := f.check(); err != nil {
				return nil, err
			}
			faults = append(faults, f)
		}
	}
	if len(faults) > maxArmedFaults {
		return nil, errTooManyFaults
	}
	return faults, nil
}

func readControl(r *http.Request, into any) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxControlBody+1))
	if err != nil {
		return errors.New("the body could not be read")
	}
	if len(body) > maxControlBody {
		return errors.New("the body is larger than 64 KiB")
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("the body is not the JSON expected here: %w", err)
	}
	return nil
}

func controlError(w http.ResponseWriter, status int, message string) {
	sendControl(w, status, map[string]any{"error": message})
}

func controlNotAllowed(w http.ResponseWriter, allow string) {
	w.Header().Set("Allow", allow)
	controlError(w, http.StatusMethodNotAllowed, "method not allowed; "+allow)
}

func sendControl(w http.ResponseWriter, status int, value any) {
	body, err := encode(value)
	if err != nil { // texts, numbers and lists of ours: cannot happen
		status, body = http.StatusInternalServerError, []byte("{}")
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

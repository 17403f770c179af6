package sandbox

import (
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// DefaultSetupDelay is the set-up time that a command line should offer:
	// long enough that a person sees the status "setup", short enough not to wait.
	DefaultSetupDelay = 400 * time.Millisecond

	// DefaultMaxInteractions bounds the memory of a sandbox whose options name no bound.
	DefaultMaxInteractions = 1000

	maxInteractionsCeiling = 100_000
	maxSeedChannels        = 5000
)

// Options configure a sandbox. The zero value is useful: synchronous set-up,
// any well-formed credentials, the system's clock and randomness.
type Options struct {
	// SetupDelay is how long a new channel stays in "setup". Zero or less means
	// that the first GET after the create sees the outcome.
	SetupDelay time.Duration

	// Username and Password, where set, are the only credentials accepted. An
	// empty one accepts anything well-formed: an alphanumeric user name, a
	// password that is not empty.
	Username, Password string

	// Now is the clock; nil means time.Now. It must be safe for concurrent use.
	Now func() time.Time

	// Rand feeds SIDs and request identifiers, 16 bytes each; nil means
	// crypto/rand. It is read by one goroutine at a time.
	Rand io.Reader

	// MaxInteractions bounds how many interactions are kept besides the seeded
	// one; the oldest are evicted. Zero means DefaultMaxInteractions.
	MaxInteractions int

	// SeedChannels is how many channels the seeded interaction has, for clients
	// that page. Zero means one, as every real interaction has.
	SeedChannels int

	// Strict refuses what is undocumented and otherwise answered leniently: a
	// second close or inactivation, closing a channel in setup or transfer,
	// changing a failed one, a malformed WebhookTtid; and it fails the set-up of
	// a channel without participants or on a Conversation already in use.
	Strict bool

	// Faults are armed at the start and by Reset; see ParseFaults.
	Faults []Fault

	// BaseURL is the absolute URL of the mount in answers, such as
	// "http://127.0.0.1:8081/v1". Empty derives it from each request's Host.
	BaseURL string

	// Log receives one record per request below the mount, without credentials,
	// query values or bodies; nil logs nothing.
	Log *slog.Logger
}

// Sandbox is a simulated provider; it is an http.Handler to be served at the
// root of its listener. All methods are safe for concurrent use.
type Sandbox struct {
	provider provider
	gate     gate
	baseURL  string
	now      func() time.Time
	log      *slog.Logger
	initial  []Fault
	crossing *http.CrossOriginProtection
	inflight atomic.Int64

	mu       sync.Mutex // guards everything below, and the provider's world
	entropy  *entropy
	script   script
	requests ring
}

// New returns a sandbox of the Flex Interactions API in its initial state.
func New(o Options) *Sandbox {
	now := o.Now
	if now == nil {
		now = time.Now
	}
	source := o.Rand
	if source == nil {
		source = rand.Reader
	}
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	e := &entropy{source: source}
	s := &Sandbox{
		provider: flexProvider(newFlex(flexOptions{
			setup:    max(o.SetupDelay, 0),
			strict:   o.Strict,
			capacity: bounded(o.MaxInteractions, DefaultMaxInteractions, maxInteractionsCeiling),
			channels: bounded(o.SeedChannels, 1, maxSeedChannels),
		}, e)),
		gate:     newGate(o.Username, o.Password),
		baseURL:  strings.TrimRight(o.BaseURL, "/"),
		now:      now,
		log:      log,
		initial:  slices.Clone(o.Faults),
		crossing: http.NewCrossOriginProtection(),
		entropy:  e,
	}
	s.Reset()
	return s
}

func bounded(n, fallback, ceiling int) int {
	if n <= 0 {
		return fallback
	}
	return min(n, ceiling)
}

// ServeHTTP answers the root page, the control pages and the simulated API.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case path == "/":
		s.serveRoot(w, r)
	case path == "/.sandbox" || strings.HasPrefix(path, "/.sandbox/"):
		s.serveControl(w, r)
	default:
		s.serveAPI(w, r)
	}
}

// Reset brings the sandbox back to the state at its start: the seeded
// interaction alone, the faults of its options, no recorded requests.
func (s *Sandbox) Reset() {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.provider.world.reset(now)
	s.requests = ring{}
	s.script.replace(s.initial)
}

// SetFaults replaces the armed faults; no arguments disarm all.
func (s *Sandbox) SetFaults(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script.replace(faults)
}

// Faults returns the armed faults with the uses they have left.
func (s *Sandbox) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.script.armed()
}

// Requests returns the last requests below the mount, oldest first, at most 64.
// A request is recorded when it has been processed, before its answer is sent:
// who holds an answer finds its request here.
func (s *Sandbox) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests.list()
}

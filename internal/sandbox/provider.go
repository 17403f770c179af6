package sandbox

import (
	"net/http"
	"net/url"
	"time"
)

// provider is one simulated API, given to the kernel as values. The kernel
// (sandbox, server, auth, route, form, store, paging, fault, control) knows how
// to serve; a provider knows what is served and in which words.
type provider struct {
	name   string // short name on the root page
	title  string
	mount  string // "/v1": no trailing slash
	realm  string // of the basic authentication challenge
	routes []route
	seeds  map[string]string // what the root page tells about the initial state
	world  world

	// decorate adds the headers that every answer of the provider carries.
	decorate func(http.Header, traits)
	// refuse words a refusal of the kernel as the provider would.
	refuse func(why reason, subject string) *refusal
	// errorBody is the JSON value of a refusal.
	errorBody func(*refusal) any
}

// world is a provider's memory. The kernel calls it with its mutex held.
type world interface {
	reset(now time.Time)
	// summary is what the control page shows; it encodes to JSON.
	summary(now time.Time) any
	// nudge makes the named event happen to the resource sid.
	nudge(sid, event string, now time.Time) error
}

// traits are what a provider's answer headers tell about one request.
type traits struct {
	requestID  string
	duration   time.Duration
	concurrent int64
	fromPage   bool // the request carries Origin: a browser page made it
}

// reason names why the kernel itself refuses a request.
type reason int

const (
	noCredentials    reason = iota
	badUsername             // malformed credentials
	wrongCredentials        // well-formed, not the right ones
	notFound                // subject: the path below the mount
	notAllowed              // subject: the methods that are
	tooLarge                // subject: which bound
	throttled               // fault 429
	unavailable             // fault 503
	internal                // the sandbox itself failed; subject: how
)

// refusal is an answer other than success, before the provider's encoding.
type refusal struct {
	status  int
	code    int // 0: no code, no link
	message string
	detail  string
	header  http.Header
}

// call is one request as an endpoint sees it. Endpoints run with the kernel's
// mutex held and must not keep the call.
type call struct {
	sids      []string // what the route's placeholders matched, in order
	path      string   // below the mount, escaped, bounded: for messages
	query     url.Values
	form      form
	base      string // absolute URL of the mount
	user      string
	now       time.Time
	failSetup bool // fault: let the set-up of what is created fail
}

// url is the absolute address of a path below the mount.
func (c *call) url(path string) string { return c.base + path }

// endpoint answers one method of one route: a value that encodes to a JSON
// object, or a refusal.
type endpoint func(*call) (any, *refusal)

package sandbox

import (
	"time"
)

const (
	maxRequests    = 64
	maxNoteText    = 256 // characters of one recorded text
	maxNoteKeys    = 64  // keys of one recorded request
	truncationMark = "…"
)

// Request is a note about one request below the mount. It holds no header
// other than Content-Type, no query or form values and no credentials.
type Request struct {
	Seq         int       `json:"seq"` // counts from 1 since the start or reset
	Time        time.Time `json:"time"`
	RequestID   string    `json:"request_id"` // as in the answer's Twilio-Request-Id
	Method      string    `json:"method"`
	Path        string    `json:"path"` // escaped, with the mount
	QueryKeys   []string  `json:"query_keys,omitempty"`
	ContentType string    `json:"content_type,omitempty"`
	FormKeys    []string  `json:"form_keys,omitempty"` // in the order sent; empty where no form was read
	Status      int       `json:"status"`              // of the answer, also where it was cut off
	Fault       string    `json:"fault,omitempty"`
}

// ring keeps the last requests. It is not safe for concurrent use.
type ring struct {
	notes [maxRequests]Request
	count int // since the start
}

func (r *ring) add(n Request) {
	r.count++
	n.Seq = r.count
	r.notes[(r.count-1)%maxRequests] = n
}

// list returns the kept notes, oldest first.
func (r *ring) list() []Request {
	kept := min(r.count, maxRequests)
	out := make([]Request, 0, kept)
	for i := r.count - kept; i < r.count; i++ {
		out = append(out, r.notes[i%maxRequests])
	}
	return out
}

// brief bounds a caller's text for messages and notes. A cut text stays valid
// UTF-8 where it was before.
func brief(s string) string {
	if len(s) <= maxNoteText {
		return s
	}
	cut := maxNoteText
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut] + truncationMark
}

func briefAll(keys []string) []string {
	if len(keys) > maxNoteKeys {
		keys = keys[:maxNoteKeys]
	}
	out := make([]string, 0, len(keys))
	for _, k := range keys {
		out = append(out, brief(k))
	}
	return out
}

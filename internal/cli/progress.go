package cli

import (
	"fmt"
	"io"
	"time"
)

// progress tells somebody at a terminal how far a long run is. Short runs, and
// those that nobody watches, say nothing.
type progress struct {
	w io.Writer
	// now is the clock.
	now  func() time.Time
	next time.Time
	said bool
}

const (
	// patience is how long a run is short.
	patience = 400 * time.Millisecond
	// pace is how often a line is rewritten.
	pace = 100 * time.Millisecond
)

// newProgress returns nil where the stream is no terminal; a nil progress says
// nothing.
func newProgress(w io.Writer) *progress {
	if !isTerminal(w) {
		return nil
	}
	return &progress{w: w, now: time.Now, next: time.Now().Add(patience)}
}

// report says how many of the files are done.
func (p *progress) report(done, total int) {
	if p == nil || total < 2 {
		return
	}
	if now := p.now(); now.After(p.next) {
		p.next, p.said = now.Add(pace), true
		fmt.Fprintf(p.w, "\r%d of %d files", done, total)
	}
}

// end takes the line back.
func (p *progress) end() {
	if p != nil && p.said {
		io.WriteString(p.w, "\r\x1b[K")
	}
}

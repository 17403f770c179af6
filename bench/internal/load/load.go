// Package load generates the load of the comparison: as much as a fixed number
// of callers can make, each waiting for its answer (Saturate), and a fixed rate
// that does not wait for anybody (Steady).
//
// A latency of Steady counts from the moment at which the request was due, not
// from the one at which it could be sent. A server that stalls is charged for
// all the requests that came due meanwhile, so the figures do not suffer from
// coordinated omission.
//
// Everything is judged: an answer that is not a success, or that does not hold
// what it should, ends the run with an error.
package load

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// A Result is what one run of a generator achieved.
type Result struct {
	// Answered is the number of requests, all answered well.
	Answered int64
	Elapsed  time.Duration
	// Latencies are in milliseconds, sorted; of Steady only.
	Latencies []float64
}

// A Generator makes calls of one kind to one server.
type Generator interface {
	// Saturate makes calls for a duration, each caller the next one as soon as
	// it has its answer.
	Saturate(time.Duration) (Result, error)
	// Steady makes calls at a rate per second for a duration.
	Steady(rate float64, d time.Duration) (Result, error)
	// Answered is the number of calls that were answered so far, in all runs.
	// The handshakes of sessions are none.
	Answered() int64
	// Close ends all connections.
	Close()
}

// firstID is the least identifier of a JSON-RPC request. All have nine digits,
// so that one can be written over another.
const firstID = 100_000_000

// lastID bounds them.
const lastID = 999_999_999

// A message is the bytes of a request, with the place of its identifier.
type message struct {
	bytes []byte
	id    int // index of the first of nine digits; 0: it has none
}

// idMark stands before the digits, in requests and in answers.
const idMark = `"id":`

// newMessage finds the identifier that a JSON-RPC request begins with.
func newMessage(text []byte) message {
	m := message{bytes: text}
	if at := bytes.Index(text, []byte(idMark+strconv.Itoa(firstID))); at >= 0 {
		m.id = at + len(idMark)
	}
	return m
}

// number gives the message another identifier.
func (m message) number(id int64) {
	if m.id > 0 {
		strconv.AppendInt(m.bytes[m.id:m.id], id, 10)
	}
}

// parseID returns the identifier of a JSON-RPC answer, or 0.
func parseID(line []byte) int64 {
	for {
		at := bytes.Index(line, []byte(idMark))
		if at < 0 {
			return 0
		}
		line = line[at+len(idMark):]
		if end := bytes.IndexAny(line, ",}"); end > 0 {
			if id, err := strconv.ParseInt(string(bytes.TrimSpace(line[:end])), 10, 64); err == nil && id >= firstID {
				return id
			}
		}
	}
}

// shorten bounds what an error quotes.
func shorten(text []byte) string {
	const most = 400
	if len(text) > most {
		return fmt.Sprintf("%q…", text[:most])
	}
	return strconv.Quote(string(text))
}

// pace calls due at a rate, n times, with the time at which each is due. It
// sleeps in the kernel: the runtime's own timers wake a millisecond late when
// nothing else is going on, which is more than what is measured.
func pace(start time.Time, interval time.Duration, n int, due func(i int, at time.Time) error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// By default a thread's sleep may take 50 µs longer. Where that cannot be
	// changed, the latencies of all rows hold as much more.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	for i := range n {
		at := start.Add(time.Duration(i) * interval)
		for wait := time.Until(at); wait > 0; wait = time.Until(at) {
			ts := unix.NsecToTimespec(int64(wait))
			if err := unix.Nanosleep(&ts, nil); err != nil && err != unix.EINTR {
				return err
			}
		}
		if err := due(i, at); err != nil {
			return err
		}
	}
	return nil
}

// schedule turns a rate and a duration into an interval and a count.
func schedule(rate float64, d time.Duration) (interval time.Duration, n int) {
	interval = time.Duration(float64(time.Second) / rate)
	return interval, max(1, int(d/interval))
}

// milliseconds sorts latencies and turns them into what Result has.
func milliseconds(latencies []time.Duration) []float64 {
	out := make([]float64, len(latencies))
	for i, latency := range latencies {
		out[i] = float64(latency) / float64(time.Millisecond)
	}
	slices.Sort(out)
	return out
}

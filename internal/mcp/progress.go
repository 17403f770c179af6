package mcp

import (
	"math"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// progress sends notifications/progress for one request. It is not pooled: a
// function that keeps it after its call has ended only finds it stopped.
type progress struct {
	mu      sync.Mutex
	stream  streamer // nil once stopped
	token   []byte   // raw
	last    float64
	started bool
	buf     []byte
}

// progress returns the reporter for a request, or nil when the client gave no
// token or cannot be sent notifications.
func (x *exchange) progress() *progress {
	if x.msg.progressToken == nil || x.streams == nil {
		return nil
	}
	return &progress{stream: x.streams, token: x.msg.progressToken}
}

// report sends one notification. The protocol wants increasing values, so others
// are dropped.
func (p *progress) report(done, total float64, message string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stream == nil || !finite(done) || p.started && done <= p.last {
		return
	}
	p.started, p.last = true, done
	params := newObject(append(p.buf[:0], `{"jsonrpc":"2.0","method":"notifications/progress","params":`...))
	params.raw("progressToken", p.token)
	params.key("progress")
	params.out = jsontext.AppendFloat(params.out, done, 64)
	if total > 0 && finite(total) {
		params.key("total")
		params.out = jsontext.AppendFloat(params.out, total, 64)
	}
	params.optional("message", message)
	p.buf = append(params.close(), '}')
	if p.stream.notify(p.buf) != nil {
		p.stream = nil
	}
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// stop ends reporting; what comes later is dropped. After it returns, nothing
// writes to the stream but its owner. Nil is allowed.
func (p *progress) stop() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.stream = nil
	p.mu.Unlock()
}

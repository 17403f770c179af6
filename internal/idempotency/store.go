package idempotency

import (
	"container/list"
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// What a store answers in place of a record.
var (
	// ErrOther says that the key belongs to a different request.
	ErrOther = errors.New("the key belongs to a different request")
	// ErrFull says that no further key can be kept without forgetting one that matters.
	ErrFull = errors.New("the store is full")
)

// Store keeps what became of requests. It is safe for concurrent use. One that
// several processes share makes keys hold for all of them.
type Store interface {
	// Claim takes the key for a request, and returns nil, or what became of the
	// request that has it. While that one is under way it waits, until ctx ends;
	// where the key gets free, it takes it. Who has taken a key calls Settle or
	// Free. Errors: ErrOther, ErrFull, the error of ctx, or a failure of the store.
	Claim(ctx context.Context, id ID, print Print) (*Record, error)
	// Settle keeps what became of the request that took the key, and wakes who
	// waits for it.
	Settle(id ID, record *Record)
	// Free gives the key up, because nothing was processed.
	Free(id ID)
}

// Bounds are what a store may take.
type Bounds struct {
	// Entries bounds the keys, Bytes the answers, Age how long both are kept.
	Entries int
	Bytes   int64
	Age     time.Duration
}

// Memory is a store for one process. When there are too many bytes, the oldest
// answers are forgotten, and repetitions are told that their request was
// processed. When there are too many keys, the oldest ones with an answer are;
// a key whose outcome is unknown is kept until it expires.
type Memory struct {
	mu      sync.Mutex
	bounds  Bounds
	entries map[ID]*entry
	// answered and open are the settled entries, whole those of them that still
	// have their answer; each from the oldest to the youngest.
	answered, open, whole *list.List
	bytes                 int64
}

// entry is a key. Until it is settled, done is open and record is nil.
type entry struct {
	id      ID
	print   Print
	done    chan struct{}
	record  *Record
	expires time.Time
	size    int64
	// at is the place in answered or open, fat the one in whole.
	at, fat *list.Element
}

// NewMemory returns an empty store.
func NewMemory(bounds Bounds) *Memory {
	return &Memory{bounds: bounds, entries: map[ID]*entry{}, answered: list.New(), open: list.New(), whole: list.New()}
}

// Resize changes the bounds. What is kept stays, as far as there is room; its time
// is the one with which it was stored.
func (m *Memory) Resize(bounds Bounds) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bounds = bounds
	m.slim()
}

// Len returns the number of keys and the bytes of answers.
func (m *Memory) Len() (keys int, bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.entries), m.bytes
}

// Claim implements [Store].
func (m *Memory) Claim(ctx context.Context, id ID, print Print) (*Record, error) {
	for {
		record, done, err := m.try(id, print)
		if done == nil || err != nil {
			return record, err
		}
		select {
		case <-done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// try takes the key, or returns the record of the request that has it, or what to
// wait for.
func (m *Memory) try(id ID, print Print) (record *Record, done <-chan struct{}, err error) {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire(m.answered, now)
	m.expire(m.open, now)
	if e := m.entries[id]; e != nil {
		switch {
		case e.print != print:
			return nil, nil, ErrOther
		case e.record == nil:
			return nil, e.done, nil
		default:
			return e.record, nil, nil
		}
	}
	if len(m.entries) >= m.bounds.Entries {
		oldest := m.answered.Front()
		if oldest == nil {
			return nil, nil, ErrFull
		}
		m.remove(oldest.Value.(*entry))
	}
	m.entries[id] = &entry{id: id, print: print, done: make(chan struct{})}
	return nil, nil, nil
}

// Settle implements [Store].
func (m *Memory) Settle(id ID, record *Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entries[id]
	if e == nil || e.record != nil {
		return
	}
	e.record, e.size, e.expires = record, sizeOf(record), time.Now().Add(m.bounds.Age)
	if record.open() {
		e.at = m.open.PushBack(e)
	} else {
		e.at = m.answered.PushBack(e)
	}
	e.fat = m.whole.PushBack(e)
	m.bytes += e.size
	m.slim()
	close(e.done)
}

// Free implements [Store].
func (m *Memory) Free(id ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.entries[id]; e != nil && e.record == nil {
		delete(m.entries, id)
		close(e.done)
	}
}

// expire removes what is too old. Lists are in the order of their ages; after the
// bounds have changed, an entry may be removed a little late.
func (m *Memory) expire(l *list.List, now time.Time) {
	for front := l.Front(); front != nil && !front.Value.(*entry).expires.After(now); front = l.Front() {
		m.remove(front.Value.(*entry))
	}
}

func (m *Memory) remove(e *entry) {
	delete(m.entries, e.id)
	if e.record.open() {
		m.open.Remove(e.at)
	} else {
		m.answered.Remove(e.at)
	}
	m.forget(e)
}

// slim forgets the oldest answers as long as there are too many bytes.
func (m *Memory) slim() {
	for m.bytes > m.bounds.Bytes && m.whole.Len() > 0 {
		e := m.whole.Front().Value.(*entry)
		m.forget(e)
		if e.record.Fault == nil {
			slim := *e.record // somebody may be reading the other
			slim.Header, slim.Body, slim.Advice, slim.Forgotten = nil, nil, nil, true
			e.record = &slim
		}
	}
}

// forget takes an entry's bytes off the account.
func (m *Memory) forget(e *entry) {
	if e.fat != nil {
		m.whole.Remove(e.fat)
		e.fat = nil
		m.bytes -= e.size
	}
}

// sizeOf is about what a record takes.
func sizeOf(r *Record) int64 {
	return int64(len(r.Body)) + headerSize(r.Header)
}

func headerSize(h http.Header) int64 {
	size := 0
	for name, values := range h {
		size += len(name)
		for _, v := range values {
			size += len(v)
		}
	}
	return int64(size)
}

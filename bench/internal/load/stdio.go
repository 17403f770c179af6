package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// Stdio makes calls over the streams of a process, one message a line.
type Stdio struct {
	in      io.Writer
	out     *bufio.Reader
	request message
	want    []byte
	// window is how many calls Saturate has under way at a time.
	window   int
	next     int64
	sent     atomic.Int64 // identifier of the last one that was sent
	answered int64
}

// OpenStdio says what has to be said before the first call, lines in their
// order, and makes one call. A line with an identifier is answered before the
// next one is sent.
func OpenStdio(in io.Writer, out io.Reader, open []string, call string, want []byte, window int) (*Stdio, error) {
	s := &Stdio{in: in, out: bufio.NewReaderSize(out, 64<<10), want: want, window: window, next: firstID}
	for _, line := range open {
		m := newMessage([]byte(line + "\n"))
		if _, err := in.Write(m.bytes); err != nil {
			return nil, err
		}
		if m.id == 0 {
			continue
		}
		answer, err := s.readLine()
		if err != nil {
			return nil, fmt.Errorf("the opening has no answer: %w", err)
		}
		if !bytes.Contains(answer, []byte(`"result"`)) {
			return nil, fmt.Errorf("the opening was answered %s", shorten(answer))
		}
	}
	s.request = newMessage([]byte(call + "\n"))
	_, err := s.Steady(1, time.Second)
	return s, err
}

// Answered implements Generator.
func (s *Stdio) Answered() int64 { return s.answered }

// Close implements Generator: the streams belong to whoever started the process.
func (s *Stdio) Close() {}

// Saturate implements Generator.
func (s *Stdio) Saturate(d time.Duration) (Result, error) {
	free := make(chan struct{}, s.window)
	start := time.Now()
	end := start.Add(d)
	stop := make(chan struct{})
	var total atomic.Int64
	total.Store(-1)
	first := s.next
	return s.exchange(start, &total, stop, func() error {
		for i := int64(0); ; i++ {
			select {
			case free <- struct{}{}:
			case <-stop:
				return nil
			}
			// The last one is announced before it is sent, so that its answer
			// finds the reader knowing that no other follows.
			last := !time.Now().Before(end)
			if last {
				total.Store(i + 1)
			}
			if err := s.send(first + i); err != nil || last {
				return err
			}
		}
	}, func(int64) { <-free })
}

// Steady implements Generator. Where the process does not read, the sender
// waits; what came due meanwhile counts from when it was due.
func (s *Stdio) Steady(rate float64, d time.Duration) (Result, error) {
	interval, n := schedule(rate, d)
	latencies := make([]time.Duration, n)
	start := time.Now()
	stop := make(chan struct{})
	var total atomic.Int64
	total.Store(int64(n))
	first := s.next
	result, err := s.exchange(start, &total, stop, func() error {
		return pace(start, interval, n, func(i int, _ time.Time) error {
			select {
			case <-stop:
				return errors.New("stopped")
			default:
				return s.send(first + int64(i))
			}
		})
	}, func(i int64) {
		if i < int64(n) {
			latencies[i] = time.Since(start.Add(time.Duration(i) * interval))
		}
	})
	result.Latencies = milliseconds(latencies)
	return result, err
}

// exchange runs a sender and reads answers until there are as many as total
// says, which is -1 while nobody knows. Each is passed on by its number.
func (s *Stdio) exchange(start time.Time, total *atomic.Int64, stop chan struct{}, sender func() error, answered func(i int64)) (Result, error) {
	sent := make(chan error, 1)
	go func() { sent <- sender() }()
	first, before := s.next, s.answered
	seen := map[int64]bool{} // numbers that came early: answers may overtake each other
	low := int64(0)          // all below have been answered
	var err error
	for n := int64(0); n != total.Load(); n++ {
		var line []byte
		if line, err = s.readLine(); err != nil {
			break
		}
		i := parseID(line) - first
		if i < low || first+i > s.sent.Load() || seen[i] || !bytes.Contains(line, s.want) {
			err = fmt.Errorf("answer %s, want one to a call that is open, with %q", shorten(line), s.want)
			break
		}
		for seen[i] = true; seen[low]; low++ {
			delete(seen, low)
		}
		s.answered++
		answered(i)
	}
	close(stop)
	if err != nil {
		return Result{}, err
	}
	err = <-sent
	s.next = first + (s.answered - before)
	return Result{Answered: s.answered - before, Elapsed: time.Since(start)}, err
}

// send writes the call with an identifier.
func (s *Stdio) send(id int64) error {
	if id > lastID {
		return errors.New("there are no identifiers left")
	}
	s.request.number(id)
	s.sent.Store(id)
	_, err := s.in.Write(s.request.bytes)
	return err
}

// readLine returns a line of the process; it is valid until the next one.
func (s *Stdio) readLine() ([]byte, error) {
	line, err := s.out.ReadSlice('\n')
	if err == io.EOF {
		return nil, fmt.Errorf("the process closed its output after %s", shorten(line))
	}
	return line, err
}

package engine

import (
	"errors"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// socket is one that a test's system opened.
type socket struct {
	net.Listener
	port   int
	closed bool
}

func (s *socket) Addr() net.Addr { return &net.TCPAddr{Port: s.port} }
func (s *socket) Close() error   { s.closed = true; return nil }

// TestListenLocalhost: a port that is chosen is free on both addresses; one that is
// asked for is refused where another process would answer half of the callers. A
// machine with one of the addresses has that.
func TestListenLocalhost(t *testing.T) {
	for _, test := range []struct {
		name, port string
		// second is what opening the second address says, the last for all others.
		second []error
		want   string // ports, or an error
		tries  int
	}{
		{"both", "0", []error{nil}, "1 1", 1},
		{"taken on the second twice", "0", []error{syscall.EADDRINUSE, syscall.EADDRINUSE, nil}, "3 3", 3},
		{"taken, then there is none", "0", []error{syscall.EADDRINUSE, syscall.EADDRNOTAVAIL}, "2", 2},
		{"always taken", "0", []error{syscall.EADDRINUSE}, "in use", portTries},
		{"one address", "0", []error{syscall.EADDRNOTAVAIL}, "1", 1},
		{"no IPv6", "8080", []error{syscall.EAFNOSUPPORT}, "8080", 1},
		{"a port of one's own", "8080", []error{nil}, "8080 8080", 1},
		{"one that is taken", "8080", []error{syscall.EADDRINUSE, nil}, "in use", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			var opened []*socket
			tries := 0
			got, err := listenWith(func(_, address string) (net.Listener, error) {
				host, port, _ := net.SplitHostPort(address)
				number, _ := strconv.Atoi(port)
				if host == "::1" {
					if err := test.second[min(tries, len(test.second))-1]; err != nil {
						return nil, &net.OpError{Op: "listen", Err: err}
					}
				} else if tries++; number == 0 {
					number = tries
				}
				s := &socket{port: number}
				opened = append(opened, s)
				return s, nil
			}, "localhost", test.port)
			var said []string
			for _, l := range got {
				_, port, _ := net.SplitHostPort(l.Addr().String())
				said = append(said, port)
			}
			if err != nil {
				said = append(said, err.Error())
			}
			if text := strings.Join(said, " "); text != test.want && (err == nil || !strings.Contains(text, test.want)) {
				t.Errorf("%s, want %s", text, test.want)
			}
			if err != nil && !errors.Is(err, syscall.EADDRINUSE) || tries != test.tries {
				t.Errorf("%v after %d tries, want %d", err, tries, test.tries)
			}
			left := 0
			for _, s := range opened {
				if !s.closed {
					left++
				}
			}
			if left != len(got) {
				t.Errorf("%d sockets are open, want %d", left, len(got))
			}
		})
	}
}

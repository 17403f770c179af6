// Package stub is the upstream of the comparison: an HTTP/1.1 server that wants
// basic authentication and, for creates, a form. It counts the calls that were
// right in every respect, so that a row that does less than the others, or does
// it wrongly, is seen.
//
// It shares a core with the load generator. So it is as cheap as it can be made
// without leaving the standard library's connections: it reads heads by hand,
// answers with bytes that were made beforehand, and judges a body that it has
// judged before by comparing it.
package stub

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	"patchbay-bench/internal/workload"
)

// CountsPath answers what was counted so far, without credentials.
const CountsPath = "/bench/counts"

// Counts says how many calls were good, by what was asked for, and how many
// were refused.
type Counts struct {
	Fetch   int64 `json:"fetch"`
	Form    int64 `json:"form"`    // creates whose body was the right form
	JSON    int64 `json:"json"`    // creates whose body stayed the caller's JSON
	Refused int64 `json:"refused"` // all others, for whatever reason
}

// Sub returns what was counted since another count.
func (c Counts) Sub(before Counts) Counts {
	return Counts{c.Fetch - before.Fetch, c.Form - before.Form, c.JSON - before.JSON, c.Refused - before.Refused}
}

// A Server is the stub. The zero value is ready.
type Server struct {
	fetch, form, json, refused atomic.Int64

	// judged holds bodies that were found right, with their content type.
	judged sync.Map
	size   atomic.Int64
	// why is the reason of the last refusal, for whoever debugs a peer.
	why atomic.Value
}

// maxJudged bounds what judged remembers.
const maxJudged = 256

// Serve answers on all connections of a listener, until that is closed.
func (s *Server) Serve(listener net.Listener) error {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go s.serve(conn)
	}
}

// Counts returns what was counted so far.
func (s *Server) Counts() Counts {
	return Counts{s.fetch.Load(), s.form.Load(), s.json.Load(), s.refused.Load()}
}

// serve answers the requests of one connection in their order.
func (s *Server) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 8<<10)
	fetched, created := respond("200 OK", workload.FetchAnswer), respond("200 OK", workload.CreateAnswer)
	var r request
	for {
		if err := r.read(in); err != nil {
			var refused *refusal
			if errors.As(err, &refused) {
				_, _ = conn.Write(s.refuse(*refused))
			}
			return
		}
		answer := fetched
		what, err := s.judge(&r)
		switch {
		case err != nil:
			answer = s.refuse(*err)
		case what == asksCounts:
			answer = s.counts()
		case what == asksFetch:
			s.fetch.Add(1)
		case what == asksForm:
			s.form.Add(1)
			answer = created
		case what == asksJSON:
			s.json.Add(1)
			answer = created
		}
		if _, err := conn.Write(answer); err != nil || r.close {
			return
		}
	}
}

// ask is what a good request wants.
type ask int

const (
	asksCounts ask = iota
	asksFetch
	asksForm
	asksJSON
)

// A refusal is a status line's rest and a reason.
type refusal struct{ status, reason string }

func (r *refusal) Error() string { return r.status + ": " + r.reason }

// judge says what a request asks for, or why it is not good.
func (s *Server) judge(r *request) (ask, *refusal) {
	if string(r.method) == "GET" && string(r.path) == CountsPath {
		return asksCounts, nil
	}
	if string(r.authorization) != workload.Authorization {
		return 0, &refusal{"401 Unauthorized", fmt.Sprintf("authorization is %q", r.authorization)}
	}
	switch {
	case string(r.method) == "GET" && equalFold(r.path, workload.FetchPath):
		if len(r.body) != 0 {
			return 0, &refusal{"400 Bad Request", "a fetch has a body"}
		}
		return asksFetch, nil
	case string(r.method) == "POST" && equalFold(r.path, workload.CreatePath):
		return s.judgeBody(r)
	}
	return 0, &refusal{"404 Not Found", fmt.Sprintf("%s %s", r.method, r.path)}
}

// judgeBody knows a body by its bytes once it was found right.
func (s *Server) judgeBody(r *request) (ask, *refusal) {
	what, check := asksForm, workload.CheckForm
	switch mediaType(r.contentType) {
	case "application/x-www-form-urlencoded":
	case "application/json":
		what, check = asksJSON, workload.CheckJSON
	default:
		return 0, &refusal{"415 Unsupported Media Type", fmt.Sprintf("content type is %q", r.contentType)}
	}
	key := string(r.body)
	if known, ok := s.judged.Load(key); ok && known == what {
		return what, nil
	}
	if err := check(key); err != nil {
		return 0, &refusal{"400 Bad Request", err.Error()}
	}
	if s.size.Add(1) <= maxJudged {
		s.judged.Store(key, what)
	}
	return what, nil
}

func (s *Server) refuse(why refusal) []byte {
	s.refused.Add(1)
	s.why.Store(why.Error())
	body, _ := json.Marshal(map[string]string{"message": why.reason})
	return respond(why.status, string(body))
}

// Why returns the reason of the last refusal.
func (s *Server) Why() string {
	why, _ := s.why.Load().(string)
	return why
}

// Report is the body of CountsPath.
type Report struct {
	Counts

	Why string `json:"why,omitempty"`
}

func (s *Server) counts() []byte {
	body, _ := json.Marshal(Report{s.Counts(), s.Why()})
	return respond("200 OK", string(body))
}

// respond makes the bytes of an answer.
func respond(status, body string) []byte {
	return []byte("HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
}

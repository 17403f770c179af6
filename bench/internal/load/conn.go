package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"time"
)

// callTime bounds one call. A run in which it matters has failed.
const callTime = 20 * time.Second

// A conn is one connection of a caller. It speaks HTTP/1.1 by hand, because
// net/http's client would use as much of the core as the stub and the servers'
// cheapest peers do together.
type conn struct {
	net net.Conn
	in  *bufio.Reader
	// request is the connection's own, because its identifier changes.
	request message
	answer  answer
	next    int64 // identifier of the next request
}

// An answer is what a caller wants to know of one. Its memory is used again.
type answer struct {
	status  int
	session []byte // Mcp-Session-Id
	body    []byte
	close   bool
}

func dial(address string) (*conn, error) {
	c, err := net.DialTimeout("tcp", address, callTime)
	if err != nil {
		return nil, err
	}
	return &conn{net: c, in: bufio.NewReaderSize(c, 16<<10), next: firstID}, nil
}

// call sends the connection's request and judges the answer: a success that
// holds a text.
func (c *conn) call(want []byte) error {
	c.request.number(c.next)
	c.next++
	if c.next > lastID {
		c.next = firstID
	}
	if err := c.roundTrip(c.request.bytes); err != nil {
		return err
	}
	if c.answer.status/100 != 2 || !bytes.Contains(c.answer.body, want) {
		return fmt.Errorf("answer %d, want a success with %q: %s", c.answer.status, want, shorten(c.answer.body))
	}
	return nil
}

// roundTrip sends bytes and reads an answer.
func (c *conn) roundTrip(request []byte) error {
	// A deadline for each call costs less than a timer: it is a field of the
	// poller, moved every time.
	if err := c.net.SetDeadline(time.Now().Add(callTime)); err != nil {
		return err
	}
	if _, err := c.net.Write(request); err != nil {
		return err
	}
	if err := c.answer.read(c.in); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	return nil
}

// read reads one answer (RFC 9112), interim ones left out.
func (a *answer) read(in *bufio.Reader) error {
	a.session, a.body, a.close = a.session[:0], a.body[:0], false
	line, err := readLine(in)
	if err != nil {
		return err
	}
	// "HTTP/1.1 200 OK"
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.")) {
		return fmt.Errorf("status line is %s", shorten(line))
	}
	if a.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return fmt.Errorf("status line is %s", shorten(line))
	}
	length, chunked := -1, false
	for {
		line, err := readLine(in)
		if err != nil {
			return err
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case equalFold(name, "content-length"):
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 {
				return fmt.Errorf("content length is %s", shorten(value))
			}
		case equalFold(name, "transfer-encoding"):
			chunked = equalFold(value, "chunked")
		case equalFold(name, "connection"):
			a.close = equalFold(value, "close")
		case equalFold(name, "mcp-session-id"):
			a.session = append(a.session, value...)
		}
	}
	switch {
	case a.status/100 == 1:
		return a.read(in)
	case a.status == 204 || a.status == 304:
		return nil
	case chunked:
		return a.readChunks(in)
	case length < 0:
		return errors.New("the answer says neither its length nor that it comes in chunks")
	}
	if cap(a.body) < length {
		a.body = make([]byte, 0, length)
	}
	a.body = a.body[:length]
	_, err = io.ReadFull(in, a.body)
	return err
}

func (a *answer) readChunks(in *bufio.Reader) error {
	body := bytes.NewBuffer(a.body)
	_, err := body.ReadFrom(httputil.NewChunkedReader(in))
	a.body = body.Bytes()
	for err == nil {
		var line []byte
		if line, err = readLine(in); len(line) == 0 {
			break
		}
	}
	return err
}

// readLine returns a line without its end. The bytes are the reader's own, until
// it is read again.
func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")), err
}

func equalFold(got []byte, want string) bool {
	return len(got) == len(want) && bytes.EqualFold(got, []byte(want))
}

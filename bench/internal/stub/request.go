package stub

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http/httputil"
	"strconv"
	"strings"
)

// Bounds of a request. Nothing that the comparison sends comes near them.
const (
	maxHeaders = 100
	maxBody    = 1 << 20
)

// A request is what the stub wants to know of an HTTP/1.1 request. Its memory is
// used again for the next one of the connection.
type request struct {
	method, path, authorization, contentType, body []byte

	close bool // the sender wants no further answer on this connection
}

// read reads one request (RFC 9112). An error that is no refusal means that the
// connection has ended, which between two requests is no fault.
func (r *request) read(in *bufio.Reader) error {
	line, err := readLine(in)
	if err != nil {
		return err
	}
	method, rest, _ := bytes.Cut(line, []byte(" "))
	path, version, ok := bytes.Cut(rest, []byte(" "))
	if !ok || string(version) != "HTTP/1.1" && string(version) != "HTTP/1.0" {
		return &refusal{"400 Bad Request", "request line is " + strconv.Quote(string(line))}
	}
	r.method, r.path = append(r.method[:0], method...), append(r.path[:0], path...)
	r.authorization, r.contentType, r.body = r.authorization[:0], r.contentType[:0], r.body[:0]
	r.close = string(version) == "HTTP/1.0"

	length, chunked := 0, false
	for n := 0; ; n++ {
		line, err := readLine(in)
		if err != nil {
			return err
		}
		if len(line) == 0 {
			break
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || n == maxHeaders {
			return &refusal{"400 Bad Request", "header line is " + strconv.Quote(string(line))}
		}
		value = bytes.TrimSpace(value)
		switch {
		case equalFold(name, "authorization"):
			r.authorization = append(r.authorization, value...)
		case equalFold(name, "content-type"):
			r.contentType = append(r.contentType, value...)
		case equalFold(name, "content-length"):
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 || length > maxBody {
				return &refusal{"400 Bad Request", "content length is " + strconv.Quote(string(value))}
			}
		case equalFold(name, "transfer-encoding"):
			if chunked = equalFold(value, "chunked"); !chunked {
				return &refusal{"501 Not Implemented", "transfer encoding is " + strconv.Quote(string(value))}
			}
		case equalFold(name, "connection"):
			r.close = r.close && !equalFold(value, "keep-alive") || equalFold(value, "close")
		}
	}
	if chunked {
		return r.readChunks(in)
	}
	if cap(r.body) < length {
		r.body = make([]byte, 0, length)
	}
	r.body = r.body[:length]
	_, err = io.ReadFull(in, r.body)
	return err
}

// readChunks reads a chunked body with its trailers, which are ignored.
func (r *request) readChunks(in *bufio.Reader) error {
	body, err := io.ReadAll(io.LimitReader(httputil.NewChunkedReader(in), maxBody+1))
	if err != nil {
		return err
	}
	if len(body) > maxBody {
		return &refusal{"413 Content Too Large", "the body is too large"}
	}
	r.body = append(r.body, body...)
	for {
		if line, err := readLine(in); err != nil || len(line) == 0 {
			return err
		}
	}
}

// readLine returns a line without its end. The bytes are the reader's own, until
// it is read again.
func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, &refusal{"431 Request Header Fields Too Large", "a line of the head is too long"}
	}
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")), err
}

// equalFold compares ASCII without regard to case.
func equalFold(got []byte, want string) bool {
	return len(got) == len(want) && strings.EqualFold(string(got), want)
}

// mediaType returns a content type without its parameters, in lower case.
func mediaType(contentType []byte) string {
	media, _, _ := bytes.Cut(contentType, []byte(";"))
	return string(bytes.ToLower(bytes.TrimSpace(media)))
}

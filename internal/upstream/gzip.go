package upstream

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
)

// The transport would ask for compressed answers by itself, with a header map of
// its own for each request. Asking with the request's header and undoing the
// compression here is the same, and costs nothing where no answer is compressed.
var acceptGzip = []string{"gzip"}

// zipped reports that the answer has a body which is to be uncompressed.
// Answers to a request for a range are parts of something, and nobody was asked
// to compress them.
func (x *exchange) zipped(answer *http.Response) bool {
	coding := answer.Header["Content-Encoding"]
	return x.gzip && answer.ContentLength != 0 && len(coding) == 1 && strings.EqualFold(coding[0], "gzip")
}

// unzip takes the compression from an answer, as if it had come without.
func (p *Pool) unzip(answer *http.Response) {
	delete(answer.Header, "Content-Encoding")
	delete(answer.Header, "Content-Length")
	answer.ContentLength = -1
	answer.Body = &gzipBody{pool: p, from: answer.Body}
}

// gzipBody is the body of a compressed answer.
type gzipBody struct {
	pool   *Pool
	from   io.ReadCloser
	reader *gzip.Reader
	err    error
}

// Read reads what was compressed.
func (b *gzipBody) Read(p []byte) (int, error) {
	if b.reader == nil && b.err == nil {
		b.reader, _ = b.pool.unzippers.Get().(*gzip.Reader)
		if b.reader == nil {
			b.reader = new(gzip.Reader)
		}
		b.err = b.reader.Reset(b.from)
	}
	if b.err != nil {
		return 0, b.err
	}
	return b.reader.Read(p)
}

// Close gives the reader's memory back and closes the answer's body.
func (b *gzipBody) Close() error {
	if b.reader != nil {
		b.pool.unzippers.Put(b.reader)
		b.reader, b.err = nil, io.ErrClosedPipe
	}
	return b.from.Close()
}

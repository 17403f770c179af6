package mcp

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
)

// listing is one of the four lists, encoded page by page at load.
type listing struct {
	pages   [][]byte       // members of the result: items and nextCursor
	cursors map[string]int // page by cursor
}

// newListing encodes a list. Cursors name a page of exactly this content, so one
// that belongs to another list, or to this one before it changed, is refused
// and never skips an item silently.
func newListing(member string, items [][]byte, pageSize int) listing {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(member))
	for _, item := range items {
		_, _ = sum.Write(item)
	}
	l := listing{cursors: map[string]int{}}
	for {
		n := min(pageSize, len(items))
		page := append([]byte(nil), '"')
		page = append(page, member...)
		page = append(page, `":[`...)
		for i, item := range items[:n] {
			if i > 0 {
				page = append(page, ',')
			}
			page = append(page, item...)
		}
		page = append(page, ']')
		items = items[n:]
		if len(items) > 0 {
			next := len(l.pages) + 1
			raw := binary.BigEndian.AppendUint32(sum.Sum(nil), uint32(next))
			cursor := base64.RawURLEncoding.EncodeToString(raw)
			l.cursors[cursor] = next
			page = append(page, `,"nextCursor":`...)
			page = quoted(page, cursor)
		}
		l.pages = append(l.pages, page)
		if len(items) == 0 {
			return l
		}
	}
}

// page finds a page by the raw cursor of a request. No cursor and the empty one
// are the first page.
func (l *listing) page(raw []byte) ([]byte, *Error) {
	if raw == nil || string(raw) == `""` {
		return l.pages[0], nil
	}
	n, known := l.cursors[string(text(raw))]
	if !known {
		return nil, invalidParams("Invalid cursor: list again from the start, without a cursor")
	}
	return l.pages[n], nil
}

// serveList returns the method that answers with pages of a list.
func serveList(of func(*Server) *listing) func(*Server, context.Context, *exchange) *Error {
	return func(s *Server, _ context.Context, x *exchange) *Error {
		page, err := of(s).page(x.msg.cursor)
		if err != nil {
			return err
		}
		x.begin(s)
		x.out = append(x.out, s.cacheable[x.rev.era]...)
		x.out = append(x.out, page...)
		x.end()
		return nil
	}
}

package mcp

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"slices"
)

// listing is one of the four lists: items that were encoded at load, in pages.
// Lists share the items; servers have tools in common, and views nearly all.
type listing struct {
	member []byte // the opening of the result's member: "tools":[
	items  [][]byte
	size   int // of a page, in items
	// cursors lead to the pages after the first; indexes are the pages by cursor.
	cursors []string
	indexes map[string]int
}

// newListing makes a list. Cursors name a page of exactly this content, so one
// that belongs to another list, or to this one before it changed, is refused
// and never skips an item silently.
func newListing(member string, items [][]byte, pageSize int) listing {
	l := listing{member: append(quoted(nil, member), ":["...), items: items, size: pageSize}
	if len(items) <= pageSize {
		return l
	}
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(member))
	for _, item := range items {
		_, _ = sum.Write(item)
	}
	l.indexes = map[string]int{}
	for page := 1; page*pageSize < len(items); page++ {
		raw := binary.BigEndian.AppendUint32(sum.Sum(nil), uint32(page))
		cursor := base64.RawURLEncoding.EncodeToString(raw)
		l.cursors = append(l.cursors, cursor)
		l.indexes[cursor] = page
	}
	return l
}

// page finds a page by the raw cursor of a request. No cursor and the empty one
// are the first page.
func (l *listing) page(raw []byte) (int, *Error) {
	if raw == nil || string(raw) == `""` {
		return 0, nil
	}
	n, known := l.indexes[string(text(raw))]
	if !known {
		return 0, invalidParams("Invalid cursor: list again from the start, without a cursor")
	}
	return n, nil
}

// appendPage writes the members of a result: items, and nextCursor where more
// pages follow.
func (l *listing) appendPage(dst []byte, n int) []byte {
	from := n * l.size
	items := l.items[from:min(from+l.size, len(l.items))]
	size := len(l.member)
	for _, item := range items {
		size += len(item) + len(",")
	}
	dst = append(slices.Grow(dst, size+64), l.member...)
	for i, item := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, item...)
	}
	dst = append(dst, ']')
	if n < len(l.cursors) {
		dst = append(dst, `,"nextCursor":`...)
		dst = quoted(dst, l.cursors[n])
	}
	return dst
}

// serveList returns the method that answers with pages of a list.
func serveList(of func(*Server) *listing) func(*Server, context.Context, *exchange) *Error {
	return func(s *Server, _ context.Context, x *exchange) *Error {
		l := of(s)
		page, err := l.page(x.msg.cursor)
		if err != nil {
			return err
		}
		x.begin(s)
		x.out = append(x.out, s.cacheable[x.rev.era]...)
		x.out = l.appendPage(x.out, page)
		x.end()
		return nil
	}
}

package sandbox

import (
	"slices"
	"strconv"
)

const (
	defaultPageSize = 50
	maxPageSize     = 1000
	maxPage         = 1 << 30
)

// pageMeta is the object beside every list.
type pageMeta struct {
	Page        int     `json:"page"`
	PageSize    int     `json:"page_size"`
	FirstURL    string  `json:"first_page_url"`
	PreviousURL *string `json:"previous_page_url"`
	URL         string  `json:"url"`
	NextURL     *string `json:"next_page_url"`
	Key         string  `json:"key"`
}

// window is the part of a list that one page shows.
type window struct {
	from, to int
	meta     pageMeta
}

// paginate cuts one page out of the items with the given SIDs. The position
// comes from PageToken alone: Page is documented as the client's own state and
// is only counted along, so a client that drops the token does not move on.
// A token names the neighbour SID, which keeps it good when the list changes.
func paginate(c *call, path, key string, sids []string) (window, *refusal) {
	size, ok := queryInt(c, "PageSize", defaultPageSize, 1, maxPageSize)
	if !ok {
		return window{}, badRequest(20001, "Invalid PageSize.")
	}
	page, ok := queryInt(c, "Page", 0, 0, maxPage)
	if !ok {
		return window{}, badRequest(20001, "Invalid Page.")
	}
	token := c.query.Get("PageToken")
	from, to, ok := position(sids, token, size)
	if !ok {
		return window{}, badRequest(21481, "Invalid PageToken")
	}
	address := func(page int, token string) string {
		u := c.url(path) + "?PageSize=" + strconv.Itoa(size) + "&Page=" + strconv.Itoa(page)
		if token != "" {
			u += "&PageToken=" + token
		}
		return u
	}
	w := window{from: from, to: to, meta: pageMeta{
		Page: page, PageSize: size, Key: key,
		FirstURL: address(0, ""),
		URL:      address(page, token),
	}}
	if from > 0 {
		previous := address(max(page-1, 0), tokenBefore+sids[from])
		w.meta.PreviousURL = &previous
	}
	if to < len(sids) {
		next := address(page+1, tokenAfter+sids[to-1])
		w.meta.NextURL = &next
	}
	return w, nil
}

const (
	tokenAfter  = "PA" // the page that follows this SID
	tokenBefore = "PB" // the page that ends before this SID
)

func position(sids []string, token string, size int) (from, to int, ok bool) {
	switch {
	case token == "":
	case len(token) != len(tokenAfter)+sidLength:
		return 0, 0, false
	default:
		i := slices.Index(sids, token[len(tokenAfter):])
		switch kind := token[:len(tokenAfter)]; {
		case i < 0:
			return 0, 0, false
		case kind == tokenAfter && i < len(sids)-1:
			from = i + 1
		case kind == tokenBefore && i > 0:
			return max(i-size, 0), i, true
		default: // no page that was ever given out lies beyond an end
			return 0, 0, false
		}
	}
	return from, min(from+size, len(sids)), true
}

// queryInt reads a decimal query parameter; absent and empty mean the default.
func queryInt(c *call, name string, fallback, low, high int) (int, bool) {
	text := c.query.Get(name)
	if text == "" {
		return fallback, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && low <= n && n <= high
}

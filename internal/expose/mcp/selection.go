package mcp

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"patchbay/internal/diag"
)

// Selection says which tools are offered. The zero Selection offers all. An
// operator's selection is an upper bound: a URL can only narrow it.
type Selection struct {
	// ReadOnly keeps the tools whose upstream methods are all safe (RFC 9110
	// section 9.2.1). It is what the server enforces; a tool's readOnly hint is
	// only what its file claims.
	ReadOnly bool
	// Tools and Tags keep what is named by either; both empty keep everything.
	Tools, Tags []string
}

// ParseSelection reads the selection of a URL: what follows the endpoint and
// /-/, which is any of readonly, tools/NAME,NAME and tags/TAG,TAG. It is in
// escaped form.
func ParseSelection(escaped string) (Selection, error) {
	var s Selection
	parts := strings.Split(escaped, "/")
	for i := 0; i < len(parts); i++ {
		switch parts[i] {
		case "readonly":
			s.ReadOnly = true
			continue
		case "tools", "tags":
		default:
			err := fmt.Errorf("%q is not readonly, tools or tags", clip(parts[i]))
			if near := diag.Nearest(parts[i], []string{"readonly", "tools", "tags"}); near != "" {
				err = fmt.Errorf("%w; did you mean %s?", err, near)
			}
			return s, err
		}
		if i+1 == len(parts) || parts[i+1] == "" {
			return s, fmt.Errorf("%s wants names, separated by commas", parts[i])
		}
		for name := range strings.SplitSeq(parts[i+1], ",") {
			if len(s.Tools)+len(s.Tags) == maxSelected {
				return s, fmt.Errorf("a selection names at most %d tools and tags", maxSelected)
			}
			decoded, err := url.PathUnescape(name)
			if err != nil || decoded == "" {
				return s, fmt.Errorf("%q is not a name", clip(name))
			}
			if parts[i] == "tools" {
				s.Tools = append(s.Tools, decoded)
			} else {
				s.Tags = append(s.Tags, decoded)
			}
		}
		i++
	}
	return s, nil
}

// maxSelected bounds the names of a selection.
const maxSelected = 500

// canonical sorts the selection's names, drops repeated ones, and returns the
// one text that stands for all spellings of it.
func (s *Selection) canonical() string {
	slices.Sort(s.Tools)
	s.Tools = slices.Compact(s.Tools)
	slices.Sort(s.Tags)
	s.Tags = slices.Compact(s.Tags)
	return fmt.Sprintf("%v %q %q", s.ReadOnly, s.Tools, s.Tags)
}

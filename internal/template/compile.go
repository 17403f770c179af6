package template

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// compiler cuts one text into segments, from left to right.
//
// A tag is one, two or three braces around text without braces. A brace that
// begins no tag is literal, or an error in a path; so the search for the end of
// a tag never goes further than the next brace, and the work is linear in the
// length of the text.
type compiler struct {
	text   string
	syntax Syntax
	// lastClose is where the last "}}" stands, or -1: a comment beyond it has
	// no end, which is not searched for again and again.
	lastClose int

	pos int
	// counted is a byte offset, and column the number of code points before it.
	counted, column int

	// pieces are the parts of the literal before pos: comments divide it.
	pieces       []string
	segments     []Segment
	placeholders []Placeholder
}

// tag is what stands at a brace: size bytes, or no tag at all where size is 0.
type tag struct {
	size    int
	name    string
	comment bool
}

func (c *compiler) scan() *Error {
	start := 0
	for {
		next := strings.IndexByte(c.text[c.pos:], '{')
		if next < 0 {
			break
		}
		c.pos += next
		t, err := c.read()
		if err != nil {
			return err
		}
		if t.size == 0 {
			c.pos++
			continue
		}
		c.pieces = append(c.pieces, c.text[start:c.pos])
		if !t.comment {
			c.placeholder(t)
		}
		c.pos += t.size
		start = c.pos
	}
	c.pieces = append(c.pieces, c.text[start:])
	c.flush()
	return nil
}

// read reads the tag that begins at the current brace.
func (c *compiler) read() (tag, *Error) {
	rest := c.text[c.pos:]
	if strings.HasPrefix(rest, "{{!") && c.pos < c.lastClose {
		return tag{size: strings.Index(rest, "}}") + len("}}"), comment: true}, nil
	}
	t, err := c.braces(rest)
	switch {
	case err != nil:
		return tag{}, err
	case t.size == 0 && c.syntax == Path:
		return tag{}, c.fault("the { begins no placeholder: a name and a } have to follow, and no other brace between them")
	case t.size == 0:
		return tag{}, nil
	case t.name == "" && c.syntax == Path:
		return tag{}, c.fault("the placeholder has no name")
	case t.name == "":
		return tag{}, nil
	case len(c.placeholders) == MaxPlaceholders:
		return tag{}, c.fault(fmt.Sprintf("the text has more than %d placeholders", MaxPlaceholders))
	}
	return t, nil
}

// braces tells the three forms of a placeholder apart.
func (c *compiler) braces(rest string) (tag, *Error) {
	if body, ok := enclosed(rest, "{{{", "}}}"); ok {
		return tag{size: len(body) + len("{{{}}}"), name: strings.TrimSpace(body)}, nil
	}
	if body, ok := enclosed(rest, "{{", "}}"); ok {
		name, err := c.mustache(strings.TrimSpace(body))
		return tag{size: len(body) + len("{{}}"), name: name}, err
	}
	if body, ok := enclosed(rest, "{", "}"); ok && c.syntax == Path {
		return tag{size: len(body) + len("{}"), name: strings.TrimSpace(body)}, nil
	}
	return tag{}, nil
}

// mustache reads the meaning of a tag off its first character.
func (c *compiler) mustache(name string) (string, *Error) {
	if name == "" {
		return "", nil
	}
	switch name[0] {
	case '&':
		return strings.TrimSpace(name[1:]), nil
	case '#', '^', '/':
		return "", c.fault("sections are not supported in templates")
	case '>':
		return "", c.fault("partials are not supported in templates")
	case '=':
		return "", c.fault("delimiters cannot be changed in templates")
	}
	return name, nil
}

// enclosed returns what stands between open and end at the beginning of s,
// provided that it holds no brace.
func enclosed(s, open, end string) (body string, ok bool) {
	if !strings.HasPrefix(s, open) {
		return "", false
	}
	s = s[len(open):]
	i := strings.IndexAny(s, "{}")
	if i < 0 || !strings.HasPrefix(s[i:], end) {
		return "", false
	}
	return s[:i], true
}

// placeholder ends the literal before the current brace and adds a placeholder.
func (c *compiler) placeholder(t tag) {
	c.flush()
	c.placeholders = append(c.placeholders, Placeholder{
		Name:   t.name,
		Offset: c.count(c.pos),
		Length: utf8.RuneCountInString(c.text[c.pos : c.pos+t.size]),
	})
	c.segments = append(c.segments, Segment{})
}

// flush turns the pieces of a literal into a segment.
func (c *compiler) flush() {
	if text := strings.Join(c.pieces, ""); text != "" {
		c.segments = append(c.segments, Segment{Literal: text})
	}
	c.pieces = c.pieces[:0]
}

// count returns the number of code points before a byte offset. Offsets never
// go back, so that the text is counted once.
func (c *compiler) count(offset int) int {
	c.column += utf8.RuneCountInString(c.text[c.counted:offset])
	c.counted = offset
	return c.column
}

func (c *compiler) fault(message string) *Error {
	return &Error{Col: c.count(c.pos) + 1, Message: message}
}

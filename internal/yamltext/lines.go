package yamltext

import (
	"bytes"
	"sort"
	"strings"
	"unicode/utf8"

	"patchbay/internal/diag"
)

// Lines finds the characters of YAML nodes in the source.
//
// YAML 1.1 broke lines at NEL, LS and PS too, and the library still counts so;
// editors and terminals do not. Where a source has none of these, which is
// nearly always, the two counts are one.
type Lines struct {
	file   string
	source []byte
	// starts are the offsets of the lines as the library counts them; shown
	// are those that people see, nil where both are the same.
	starts []int
	shown  []int
	// ascii reports that a column is an offset.
	ascii bool
}

// ByteOrderMark may stand before a text in UTF-8, and is no part of it.
const ByteOrderMark = "\xef\xbb\xbf"

// maxColumn is the last column up to which characters are found in a line
// that is not plain ASCII. Beyond it, as in a large file on one line, places
// are told but not measured, so that finding all of them stays linear.
const maxColumn = 4096

// NewLines indexes a text, which diagnostics call by the name of its file.
func NewLines(file string, source []byte) Lines {
	x := Lines{file: file, source: source, ascii: true}
	for _, b := range source {
		if b >= utf8.RuneSelf {
			x.ascii = false
			break
		}
	}
	x.starts = lineStarts(source, false)
	if !x.ascii && hasUnicodeBreaks(source) {
		x.shown = x.starts
		x.starts = lineStarts(source, true)
	}
	return x
}

func hasUnicodeBreaks(source []byte) bool {
	for _, b := range []string{"\u0085", "\u2028", "\u2029"} {
		if bytes.Contains(source, []byte(b)) {
			return true
		}
	}
	return false
}

// lineStarts returns the offset of each line. A byte order mark belongs to no line.
func lineStarts(source []byte, unicodeBreaks bool) []int {
	starts := make([]int, 1, bytes.Count(source, []byte{'\n'})+1)
	at := 0
	if bytes.HasPrefix(source, []byte(ByteOrderMark)) {
		at = len(ByteOrderMark)
	}
	starts[0] = at
	if !unicodeBreaks && bytes.IndexByte(source, '\r') < 0 {
		for {
			i := bytes.IndexByte(source[at:], '\n')
			if i < 0 {
				return starts
			}
			at += i + 1
			starts = append(starts, at)
		}
	}
	for at < len(source) {
		if n := breakLen(source[at:], unicodeBreaks); n > 0 {
			at += n
			starts = append(starts, at)
			continue
		}
		at++
	}
	return starts
}

// breakLen returns the length of the line break at the start of s, or 0.
func breakLen(s []byte, unicodeBreaks bool) int {
	switch {
	case s[0] == '\n':
		return 1
	case s[0] == '\r' && len(s) > 1 && s[1] == '\n':
		return 2
	case s[0] == '\r':
		return 1
	case !unicodeBreaks:
		return 0
	case bytes.HasPrefix(s, []byte("\u0085")):
		return 2
	case bytes.HasPrefix(s, []byte("\u2028")), bytes.HasPrefix(s, []byte("\u2029")):
		return 3
	default:
		return 0
	}
}

// Count returns how many lines the text has, as the library counts.
func (x *Lines) Count() int { return len(x.starts) }

// From returns the text from the start of a line on, which the library counts.
func (x *Lines) From(line int) []byte { return x.source[x.starts[line-1]:] }

// Offset returns where the library's line and column are in the source, and
// whether that could be told.
func (x *Lines) Offset(line, col int) (int, bool) {
	if line < 1 || line > len(x.starts) {
		return len(x.source), false
	}
	at := x.starts[line-1]
	if x.ascii {
		return min(at+col-1, len(x.source)), true
	}
	if col > maxColumn {
		return at, false
	}
	for ; col > 1 && at < len(x.source); col-- {
		if x.source[at] < utf8.RuneSelf {
			at++
			continue
		}
		_, size := utf8.DecodeRune(x.source[at:])
		at += size
	}
	return at, true
}

// place returns the line and column, as people count, of an offset.
func (x *Lines) place(offset int) (line, col int) {
	if x.shown != nil {
		return placeIn(x.source, x.shown, offset)
	}
	return placeIn(x.source, x.starts, offset)
}

func placeIn(source []byte, starts []int, offset int) (line, col int) {
	offset = max(offset, starts[0])
	i := sort.SearchInts(starts, offset+1) - 1
	before := source[starts[i]:offset]
	if len(before) > 4*maxColumn {
		return i + 1, len(before) + 1
	}
	return i + 1, utf8.RuneCount(before) + 1
}

// span returns the span of width characters at an offset that the library
// calls line and col.
func (x *Lines) span(line, col, offset, width int) diag.Span {
	if x.shown != nil {
		line, col = x.place(offset)
	}
	return diag.Span{File: x.file, Line: line, Col: col, EndLine: line, EndCol: col + width}
}

// rest returns a span from a place to the end of its line. [diag.Span.Sub]
// gives such a span back whole.
func (x *Lines) rest(line, col, offset int) diag.Span {
	s := x.span(line, col, offset, 0)
	s.EndLine, s.EndCol = s.Line+1, 1
	return s
}

// Point returns the span of one character at the library's line and column,
// moved back to the last character of the text where it lies behind it.
func (x *Lines) Point(line, col int) diag.Span {
	offset, _ := x.Offset(line, max(col, 1))
	if len(bytes.TrimSpace(x.source[offset:])) == 0 {
		offset = max(len(bytes.TrimRight(x.source, " \t\r\n"))-1, 0)
		for offset > 0 && !utf8.RuneStart(x.source[offset]) {
			offset--
		}
	}
	return x.PointAt(offset)
}

// PointAt returns the span of the character at an offset.
func (x *Lines) PointAt(offset int) diag.Span {
	line, col := x.place(offset)
	return diag.Span{File: x.file, Line: line, Col: col, EndLine: line, EndCol: col + 1}
}

// Node returns the span of a scalar's value: inside its quotes, behind its
// anchor and tag. Where the value stands in the source as it is, the span has
// its characters; where it is folded, escaped or of several lines, it is the
// rest of the line. For a mapping or sequence it is the span of the first
// thing in it.
func (x *Lines) Node(n *Node) diag.Span {
	for n.Kind != ScalarNode && len(n.Content) > 0 && n.Content[0].Line == n.Line && n.Content[0].Column == n.Column {
		n = n.Content[0]
	}
	line, col := n.Line, n.Column
	at, known := x.Offset(line, col)
	switch {
	case known:
	case line > len(x.starts):
		return x.Point(line, col)
	default:
		return x.span(line, col, at, 0)
	}
	if n.Kind != ScalarNode {
		return x.span(line, col, at, min(1, len(x.source)-at))
	}
	if at < len(x.source) && (x.source[at] == '&' || x.source[at] == '!') {
		if n.Value == "" && n.Style&QuotedStyle == 0 {
			return x.span(line, col, at, 0)
		}
		at = skipProperties(x.source, at)
		line, col = placeIn(x.source, x.starts, at)
	}
	return x.value(n, line, col, at)
}

// value is the span of a scalar whose text, or opening quote, is at an offset
// that the library calls line and col.
func (x *Lines) value(n *Node, line, col, at int) diag.Span {
	value := n.Value
	if n.Style&QuotedStyle == 0 {
		if n.Style&BlockStyle == 0 && hasPrefix(x.source[at:], value) {
			return x.span(line, col, at, utf8.RuneCountInString(value))
		}
		return x.rest(line, col, at)
	}
	if at < len(x.source) {
		at++
	}
	quote, escape := "\"", `\`
	if n.Style&SingleStyle != 0 {
		quote, escape = "'", "'"
	}
	if !strings.Contains(value, escape) && hasPrefix(x.source[at:], value) && hasPrefix(x.source[at+len(value):], quote) {
		return x.span(line, col+1, at, utf8.RuneCountInString(value))
	}
	return x.rest(line, col+1, at)
}

func hasPrefix(source []byte, s string) bool {
	return len(source) >= len(s) && string(source[:len(s)]) == s
}

// skipProperties returns the offset behind anchors and tags and the blanks,
// line breaks and comments that follow them.
func skipProperties(source []byte, at int) int {
	for at < len(source) {
		switch source[at] {
		case '&', '!':
			for at < len(source) && source[at] > ' ' {
				at++
			}
		case ' ', '\t', '\r', '\n':
			at++
		case '#':
			for at < len(source) && source[at] != '\n' && source[at] != '\r' {
				at++
			}
		default:
			return at
		}
	}
	return at
}

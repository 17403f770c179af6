package diag

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// lineWidth is the most of a source line that is shown, in columns.
	lineWidth = 100
	// tabWidth is how far apart tab stops are shown.
	tabWidth = 4
	// longestLine is the longest line that is shown at all, in bytes.
	longestLine = 64 << 10
	ellipsis    = "…"
)

// file is a text cut into lines as editors do, at LF, CRLF and CR. A byte
// order mark belongs to no line.
type file struct {
	text   []byte
	starts []int
}

func splitLines(text []byte) *file {
	f := &file{text: bytes.TrimPrefix(text, []byte("\ufeff"))}
	if text == nil {
		return f
	}
	f.starts = append(f.starts, 0)
	for i, b := range f.text {
		if b == '\n' || b == '\r' && (i+1 == len(f.text) || f.text[i+1] != '\n') {
			f.starts = append(f.starts, i+1)
		}
	}
	return f
}

// line returns the n-th line, the first being 1, without its break.
func (f *file) line(n int) ([]byte, bool) {
	if n < 1 || n > len(f.starts) {
		return nil, false
	}
	end := len(f.text)
	if n < len(f.starts) {
		end = f.starts[n]
	}
	line := bytes.TrimRight(f.text[f.starts[n-1]:end], "\r\n")
	return line, len(line) <= longestLine
}

// excerpt renders the part of a line that is around a span. It returns the
// text, the columns before the span in it and the columns of the span.
func excerpt(line []byte, s Span) (text string, indent, width int) {
	r := render(line)
	from := r.column(s.Col - 1)
	to := r.column(s.EndCol - 1)
	if s.EndLine != s.Line {
		to = r.column(len(bytes.TrimRight(line, " \t")))
	}
	to = max(to, from+1)
	if r.width() <= lineWidth {
		return r.slice(0, r.width()), from, to - from
	}
	// The window keeps the span's start in sight, and its end if that fits.
	left := 0
	if to > lineWidth-1 {
		left = max(0, min(from-lineWidth/4, r.width()-lineWidth))
	}
	right := min(left+lineWidth, r.width())
	text, cut := r.slice(left, right), 0
	if left > 0 {
		text, cut = ellipsis+text, 1
	}
	if right < r.width() {
		text += ellipsis
	}
	start := r.visible(left, from)
	return text, cut + start, max(1, min(to, right)-max(from, left))
}

// rendered is a line as it is shown: its cells, and the display column at which
// each starts. Cells stand for the line's code points, one for each.
type rendered struct {
	cells   []string
	columns []int
}

func render(line []byte) rendered {
	n := utf8.RuneCount(line)
	r := rendered{cells: make([]string, 0, n), columns: make([]int, 1, n+1)}
	at := 0
	for len(line) > 0 {
		c, size := utf8.DecodeRune(line)
		cell, width := string(line[:size]), 0
		switch {
		case c == '\t':
			width = tabWidth - at%tabWidth
			cell = strings.Repeat(" ", width)
		case hostile(c) || c == utf8.RuneError && size == 1:
			cell = escape(cell)
			width = len(cell)
		default:
			width = runeWidth(c)
		}
		at += width
		r.cells = append(r.cells, cell)
		r.columns = append(r.columns, at)
		line = line[size:]
	}
	return r
}

func (r *rendered) width() int { return r.columns[len(r.columns)-1] }

// column returns the display column of the i-th code point; behind the line's
// end it is the end.
func (r *rendered) column(i int) int { return r.columns[min(max(i, 0), len(r.columns)-1)] }

// slice returns the cells that lie between two display columns.
func (r *rendered) slice(left, right int) string {
	var b strings.Builder
	for i, cell := range r.cells {
		if r.columns[i] >= left && r.columns[i+1] <= right {
			b.WriteString(cell)
		}
	}
	return b.String()
}

// visible returns how many columns of slice(left, …) come before a column.
func (r *rendered) visible(left, column int) int {
	for i := range r.cells {
		if r.columns[i] >= left {
			return max(0, column-r.columns[i])
		}
	}
	return 0
}

func underline(width int) string { return "^" + strings.Repeat("~", max(0, width-1)) }

// Printable returns text from a file as it may be shown on a terminal: what a
// terminal would obey, or what would hide or reorder text, is replaced by its
// code. Line breaks are among it.
func Printable(s string) string { return escape(s) }

// escape replaces what a terminal would obey, or what would hide or reorder
// text, by its code.
func escape(s string) string {
	clean := true
	for _, c := range s {
		if hostile(c) || c == '\t' || c == utf8.RuneError {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		c, size := utf8.DecodeRuneInString(s)
		switch {
		case c == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case hostile(c) && c < 0x100:
			fmt.Fprintf(&b, `\x%02x`, c)
		case hostile(c) && c < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, c)
		case hostile(c):
			fmt.Fprintf(&b, `\U%08x`, c)
		default:
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String()
}

// hostile reports characters that must not reach a terminal as they are:
// controls, line and paragraph separators, and the marks that reorder or hide
// text. A tab is judged by the caller.
func hostile(c rune) bool {
	switch {
	case c == '\t':
		return false
	case c < ' ', c >= 0x7f && c < 0xa0:
		return true
	case c == 0x00ad, c == 0x061c, c == 0x180e, c == 0xfeff:
		return true
	case c >= 0x200b && c <= 0x200f, c >= 0x2028 && c <= 0x202e, c >= 0x2060 && c <= 0x206f:
		return true
	case c >= 0xfff9 && c <= 0xfffb, c >= 0xe0000 && c <= 0xe007f:
		return true
	default:
		return false
	}
}

// runeWidth returns how many columns a character takes: none for marks that
// combine, two for wide ones (Unicode's UAX #11, its W and F, by block).
func runeWidth(c rune) int {
	switch {
	case c < 0x300:
		return 1
	case unicode.In(c, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case c < 0x1100:
		return 1
	case c <= 0x115f, c >= 0x2e80 && c <= 0x303e, c >= 0x3041 && c <= 0xa4cf && c != 0x303f,
		c >= 0xa960 && c <= 0xa97f, c >= 0xac00 && c <= 0xd7a3, c >= 0xf900 && c <= 0xfaff,
		c >= 0xfe10 && c <= 0xfe19, c >= 0xfe30 && c <= 0xfe6f, c >= 0xff01 && c <= 0xff60, c >= 0xffe0 && c <= 0xffe6,
		c >= 0x1f300 && c <= 0x1f64f, c >= 0x1f680 && c <= 0x1f6ff, c >= 0x1f900 && c <= 0x1faff,
		c >= 0x20000 && c <= 0x3fffd:
		return 2
	default:
		return 1
	}
}

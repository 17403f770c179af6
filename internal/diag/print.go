package diag

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

// TextOptions shape what [PrintText] writes.
type TextOptions struct {
	// Color turns on ANSI colours. The text is the same without them.
	Color bool
	// Max bounds how many findings are printed, 0 means all. Errors are
	// preferred to warnings, and these to notes.
	Max int
}

// PrintText writes the findings for people, in the order of the list: place,
// severity, message and code; the source line with the place underlined; the
// hint and related places.
//
// The sources function returns the text of a file, or nil where there is none
// to show. Nothing that a file says reaches the terminal as a control
// character. The error is the writer's.
func PrintText(w io.Writer, list List, sources func(file string) []byte, opts TextOptions) error {
	p := &printer{w: bufio.NewWriter(w), sources: sources, files: make(map[string]*file), color: opts.Color}
	shown, left := Severest(list, opts.Max)
	for i := range shown {
		p.diagnostic(&shown[i])
	}
	if len(left) > 0 {
		fmt.Fprintf(p.w, "and %s more\n", Summary(left))
	}
	return p.w.Flush()
}

// Severest picks at most limit findings, errors before warnings before notes,
// and returns them and the rest, both in the order of the list. A limit of 0
// means all.
func Severest(list List, limit int) (shown, left List) {
	if limit <= 0 || len(list) <= limit {
		return list, nil
	}
	chosen := make([]bool, len(list))
	for _, sev := range []Severity{Error, Warning, Note} {
		for i := range list {
			if list[i].Severity == sev && limit > 0 {
				chosen[i] = true
				limit--
			}
		}
	}
	for i := range list {
		if chosen[i] {
			shown = append(shown, list[i])
		} else {
			left = append(left, list[i])
		}
	}
	return shown, left
}

// printer writes findings. It keeps the lines of the files it has met.
type printer struct {
	w       *bufio.Writer
	sources func(string) []byte
	files   map[string]*file
	color   bool
}

// The colours, as parameters of ANSI's SGR sequence.
const (
	bold  = "1"
	red   = "1;31"
	amber = "1;33"
	cyan  = "1;36"
	green = "1;32"
)

func colorOf(sev Severity) string {
	switch sev {
	case Error:
		return red
	case Warning:
		return amber
	default:
		return cyan
	}
}

func (p *printer) paint(color, text string) {
	if !p.color {
		p.w.WriteString(text)
		return
	}
	p.w.WriteString("\x1b[" + color + "m" + text + "\x1b[0m")
}

func (p *printer) diagnostic(d *Diagnostic) {
	if !d.Span.IsZero() {
		p.paint(bold, escape(d.Span.String()))
		p.w.WriteString(": ")
	}
	p.paint(colorOf(d.Severity), d.Severity.String())
	p.w.WriteString(": " + escape(d.Message) + " [" + escape(string(d.Code)) + "]\n")
	if !d.Secret {
		p.snippet(d.Span)
	}
	if d.Hint != "" {
		p.w.WriteString("    hint: " + escape(d.Hint) + "\n")
	}
	for i := range d.Related {
		r := &d.Related[i]
		p.w.WriteString("    see ")
		p.paint(bold, escape(r.Span.String()))
		p.w.WriteString(": " + escape(r.Message) + "\n")
	}
}

// snippet writes the span's first line and underlines the span in it.
func (p *printer) snippet(s Span) {
	if s.Line == 0 || p.sources == nil {
		return
	}
	f, ok := p.files[s.File]
	if !ok {
		f = splitLines(p.sources(s.File))
		p.files[s.File] = f
	}
	line, ok := f.line(s.Line)
	if !ok {
		return
	}
	text, indent, width := excerpt(line, s)
	number := strconv.Itoa(s.Line)
	p.w.WriteString(number + " | " + text + "\n")
	fmt.Fprintf(p.w, "%*s | %*s", len(number), "", indent, "")
	p.paint(green, underline(width))
	p.w.WriteByte('\n')
}

// PrintJSON writes the findings as a JSON array in the order of the list; an
// empty list is an empty array. The members of a finding are severity, code,
// span (file, line, column, endLine, endColumn), message, hint and related.
func PrintJSON(w io.Writer, list List) error {
	if list == nil {
		list = List{}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(list)
}

package schema

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// pattern is a regular expression of a schema: ECMA-262 as written, RE2 as run.
type pattern struct {
	text string
	re   *regexp.Regexp
	// fixed is the same as re, or nil.
	fixed *fixed
}

// maxPattern bounds the length of a pattern in bytes.
const maxPattern = 4096

// compilePattern translates an ECMA-262 expression (JSON Schema 2020-12 core
// section 6.4) to RE2. What RE2 cannot express, such as lookahead, is an error.
// Matching is unanchored and linear in the text.
func compilePattern(text string) (*pattern, error) {
	if len(text) > maxPattern {
		return nil, fmt.Errorf("is longer than %d bytes", maxPattern)
	}
	t := ecma{in: text}
	if err := t.translate(); err != nil {
		return nil, err
	}
	re, err := regexp.Compile(t.out.String())
	if err != nil {
		return nil, unusable{err}
	}
	return &pattern{text: text, re: re, fixed: fixedOf(re.String())}, nil
}

// unusable is an error of package regexp in the words of this one.
type unusable struct{ error }

// Error returns a clause without subject.
func (u unusable) Error() string {
	return "is not a usable regular expression: " + strings.TrimPrefix(u.error.Error(), "error parsing regexp: ")
}

// Unwrap returns the error of package regexp.
func (u unusable) Unwrap() error { return u.error }

// Patterns are the expressions of many schemas, each compiled once: those of
// one provider repeat the same few, and compiled ones are large. The zero
// Patterns is ready to use and safe for concurrent use. Schemas hold on to the
// expressions that they use, not to the Patterns.
type Patterns struct {
	mu     sync.Mutex
	byText map[string]*pattern
}

// compile returns the compiled expression. A nil Patterns remembers none.
func (p *Patterns) compile(text string) (*pattern, error) {
	if p == nil {
		return compilePattern(text)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.byText[text]; known != nil {
		return known, nil
	}
	compiled, err := compilePattern(text)
	if err != nil {
		return nil, err
	}
	if p.byText == nil {
		p.byText = map[string]*pattern{}
	}
	p.byText[text] = compiled
	return compiled, nil
}

// matches reports whether the expression occurs in s. A nil pattern, which could
// not be compiled, matches everything.
func (p *pattern) matches(s string) bool {
	switch {
	case p == nil:
		return true
	case p.fixed != nil:
		return p.fixed.matches(s)
	default:
		return p.re.MatchString(s)
	}
}

// Character sets in which ECMA-262 and RE2 differ, as the inside of a class.
const (
	ecmaSpace    = `\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`
	ecmaNotSpace = `\x00-\x08\x0e-\x1f!-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}` +
		`\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff}`
	ecmaDot     = `[^\n\r\x{2028}\x{2029}]`
	ecmaAny     = `[\x00-\x{10ffff}]`
	ecmaNothing = `[^\x00-\x{10ffff}]`
)

var (
	errLookaround    = errors.New("uses lookahead or lookbehind, which is not supported")
	errBackreference = errors.New("uses a backreference, which is not supported")
	errUnfinished    = errors.New("ends in the middle of an escape")
	errOpenClass     = errors.New("has a character class without its end")
)

// IsPattern reports whether a text is a regular expression to a validator of
// JSON Schema, though perhaps not to this one.
func IsPattern(text string) bool {
	_, err := compilePattern(text)
	return err == nil || !brokenPattern(err)
}

// brokenPattern reports whether a pattern is no regular expression anywhere.
// Other errors of compilePattern may be about expressions that are fine in
// ECMA-262, or in one of its modes.
func brokenPattern(err error) bool {
	if parsing, ok := errors.AsType[*syntax.Error](err); ok {
		switch parsing.Code {
		case syntax.ErrMissingParen, syntax.ErrUnexpectedParen, syntax.ErrMissingRepeatArgument, syntax.ErrInvalidCharRange, syntax.ErrMissingBracket:
			return true
		}
		return false
	}
	return errors.Is(err, errUnfinished) || errors.Is(err, errOpenClass)
}

// ecma translates one expression.
type ecma struct {
	in  string
	pos int
	out strings.Builder
}

func (t *ecma) translate() error {
	for t.pos < len(t.in) {
		var err error
		switch c := t.in[t.pos]; c {
		case '\\':
			err = t.escape(false)
		case '[':
			err = t.class()
		case '(':
			err = t.group()
		case '.':
			t.out.WriteString(ecmaDot)
			t.pos++
		default:
			t.out.WriteByte(c)
			t.pos++
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *ecma) rest() string { return t.in[t.pos:] }

func (t *ecma) group() error {
	rest := t.rest()
	for _, look := range []string{"(?=", "(?!", "(?<=", "(?<!"} {
		if strings.HasPrefix(rest, look) {
			return errLookaround
		}
	}
	if strings.HasPrefix(rest, "(?") && !strings.HasPrefix(rest, "(?:") && !strings.HasPrefix(rest, "(?<") {
		return fmt.Errorf("has the group %q, which ECMA-262 does not know", clip(rest, 4))
	}
	t.out.WriteByte('(')
	t.pos++
	return nil
}

func (t *ecma) class() error {
	switch rest := t.rest(); {
	case strings.HasPrefix(rest, "[^]"):
		t.out.WriteString(ecmaAny)
		t.pos += len("[^]")
		return nil
	case strings.HasPrefix(rest, "[]"):
		t.out.WriteString(ecmaNothing)
		t.pos += len("[]")
		return nil
	}
	t.out.WriteByte('[')
	if t.pos++; t.pos < len(t.in) && t.in[t.pos] == '^' {
		t.out.WriteByte('^')
		t.pos++
	}
	for t.pos < len(t.in) {
		switch c := t.in[t.pos]; c {
		case '\\':
			if err := t.escape(true); err != nil {
				return err
			}
		case ']':
			t.out.WriteByte(c)
			t.pos++
			return nil
		case '[', '&', '~':
			t.out.WriteByte('\\')
			t.out.WriteByte(c)
			t.pos++
		default:
			t.out.WriteByte(c)
			t.pos++
		}
	}
	return errOpenClass
}

// escape translates a backslash and what belongs to it.
func (t *ecma) escape(inClass bool) error {
	if t.pos++; t.pos >= len(t.in) {
		return errUnfinished
	}
	c := t.in[t.pos]
	switch c {
	case 's', 'S':
		t.space(c == 's', inClass)
		return nil
	case 'd', 'D', 'w', 'W', 't', 'n', 'v', 'f', 'r':
		return t.keep()
	case 'b', 'B':
		if inClass {
			if c == 'B' {
				return errors.New(`has \B in a character class`)
			}
			t.code('\b')
			t.pos++
			return nil
		}
		return t.keep()
	case 'u', 'x', 'c', '0':
		return t.character()
	case 'p', 'P':
		return t.property()
	case 'k':
		return errBackreference
	}
	switch {
	case '1' <= c && c <= '9':
		return errBackreference
	case c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
		return fmt.Errorf(`has the escape \%c, which ECMA-262 does not know`, c)
	}
	r, size := utf8.DecodeRuneInString(t.rest())
	t.code(r)
	t.pos += size
	return nil
}

// keep writes an escape that means the same in both languages.
func (t *ecma) keep() error {
	t.out.WriteByte('\\')
	t.out.WriteByte(t.in[t.pos])
	t.pos++
	return nil
}

func (t *ecma) space(is, inClass bool) {
	t.pos++
	switch {
	case inClass && is:
		t.out.WriteString(ecmaSpace)
	case inClass:
		t.out.WriteString(ecmaNotSpace)
	case is:
		t.out.WriteString("[" + ecmaSpace + "]")
	default:
		t.out.WriteString("[^" + ecmaSpace + "]")
	}
}

func (t *ecma) code(r rune) { fmt.Fprintf(&t.out, `\x{%x}`, r) }

// character translates \uXXXX, \u{X…}, \xXX, \cX and \0.
func (t *ecma) character() error {
	c := t.in[t.pos]
	t.pos++
	switch c {
	case '0':
		t.code(0)
		return nil
	case 'c':
		if t.pos >= len(t.in) {
			return errUnfinished
		}
		letter := t.in[t.pos] | 0x20
		if letter < 'a' || letter > 'z' {
			return errors.New(`has \c without a letter`)
		}
		t.code(rune(letter - 'a' + 1))
		t.pos++
		return nil
	case 'x':
		r, err := t.hex(2)
		if err == nil {
			t.code(r)
		}
		return err
	}
	if strings.HasPrefix(t.rest(), "{") {
		end := strings.IndexByte(t.rest(), '}')
		if end < 2 || end > 9 {
			return errUnfinished
		}
		t.pos++
		r, err := t.hex(end - 1)
		if err == nil {
			t.code(r)
			t.pos++
		}
		return err
	}
	r, err := t.hex(4)
	if err != nil {
		return err
	}
	if utf16.IsSurrogate(r) && strings.HasPrefix(t.rest(), `\u`) {
		t.pos += len(`\u`)
		low, err := t.hex(4)
		if err != nil {
			return err
		}
		r = utf16.DecodeRune(r, low)
	}
	if utf16.IsSurrogate(r) {
		return errors.New("names half of a surrogate pair")
	}
	t.code(r)
	return nil
}

func (t *ecma) hex(n int) (rune, error) {
	if len(t.rest()) < n {
		return 0, errUnfinished
	}
	r, err := strconv.ParseUint(t.rest()[:n], 16, 32)
	if err != nil || r > utf8.MaxRune {
		return 0, fmt.Errorf("has %q where a code point is due", clip(t.rest()[:n], 8))
	}
	t.pos += n
	return rune(r), nil
}

// property translates \p{…}, of which RE2 does not know the names of the axes.
func (t *ecma) property() error {
	c := t.in[t.pos]
	t.pos++
	end := strings.IndexByte(t.rest(), '}')
	if !strings.HasPrefix(t.rest(), "{") || end < 0 {
		return fmt.Errorf(`has \%c without a name in braces`, c)
	}
	name := t.rest()[1:end]
	for _, axis := range []string{"Script=", "sc=", "Script_Extensions=", "scx=", "General_Category=", "gc="} {
		name = strings.TrimPrefix(name, axis)
	}
	fmt.Fprintf(&t.out, `\%c{%s}`, c, name)
	t.pos += end + 1
	return nil
}

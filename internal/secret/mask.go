package secret

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
)

// Mask replaces known secrets in text that was made elsewhere: an error of the
// network that repeats what an upstream said, for example. It is the second
// line of defence; the first is that secrets are [Value]s. A nil or zero Mask
// replaces nothing. Looking through a text takes the same time whether a few
// secrets are known or thousands. It is safe for concurrent use.
type Mask struct {
	mu    sync.Mutex
	known atomic.Pointer[forms]
}

// shortest is the length in bytes from which a value is masked: anything
// shorter is also a word of other texts.
const shortest = 6

// Add makes values known, in the forms that they take on their way: as they
// are, escaped in a query, in JSON, and in base64.
func (m *Mask) Add(values ...Value) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	have := m.known.Load()
	fresh := map[string]bool{}
	for _, v := range values {
		for _, form := range v.forms() {
			if longest(have, form) != len(form) {
				fresh[form] = true
			}
		}
	}
	if len(fresh) > 0 {
		m.known.Store(have.with(fresh))
	}
}

// forms are texts to look for. They do not change.
type forms struct {
	// starts has a bit for each of the forms, by the hash of its first four bytes:
	// most places of a text are passed with one look.
	starts []uint64
	// by has the forms by their first bytes, the longest first.
	by    map[[shortest]byte][]string
	count int
}

// with returns the forms and others.
func (f *forms) with(others map[string]bool) *forms {
	out := &forms{by: map[[shortest]byte][]string{}, count: len(others)}
	if f != nil {
		out.count += f.count
		maps.Copy(out.by, f.by)
	}
	for form := range others {
		at := start(form)
		list := append(slices.Clone(out.by[at]), form)
		slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) })
		out.by[at] = list
	}
	size := 16
	for size < out.count {
		size *= 2
	}
	out.starts = make([]uint64, size) // 64 bits for each form
	for at := range out.by {
		h := out.bit(at[0], at[1], at[2], at[3])
		out.starts[h/64] |= 1 << (h % 64)
	}
	return out
}

// hash spreads four bytes.
func hash(x uint32) uint32 { return x * 0x9e3779b1 >> 7 }

// bit returns that of a text's start.
func (f *forms) bit(a, b, c, d byte) uint32 {
	return hash(uint32(a)|uint32(b)<<8|uint32(c)<<16|uint32(d)<<24) & uint32(len(f.starts)*64-1)
}

// text is what is looked through.
type text interface{ ~string | ~[]byte }

// longest returns the length of the longest form with which a text begins, 0 for
// none.
func longest[T text](f *forms, s T) int {
	if f == nil || len(s) < shortest {
		return 0
	}
	for _, form := range f.by[start(s)] {
		if len(s) >= len(form) && string(s[:len(form)]) == form {
			return len(form)
		}
	}
	return 0
}

// start is the part of a text by which forms are found. It has that length.
func start[T text](s T) [shortest]byte { return [shortest]byte{s[0], s[1], s[2], s[3], s[4], s[5]} }

// next returns where the first form in a text begins and ends; both are 0 where
// there is none.
func next[T text](f *forms, s T) (from, to int) {
	if f == nil || len(s) < shortest {
		return 0, 0
	}
	starts := f.starts
	mask := uint32(len(starts)*64 - 1)
	four := uint32(s[0])<<8 | uint32(s[1])<<16 | uint32(s[2])<<24 // of the place before
	for i := 0; i+shortest <= len(s); i++ {
		four = four>>8 | uint32(s[i+3])<<24
		h := hash(four) & mask
		if starts[h/64]&(1<<(h%64)) == 0 {
			continue
		}
		if n := longest(f, s[i:]); n > 0 {
			return i, extent(f, s, i, i+n)
		}
	}
	return 0, 0
}

// extent returns the end of what goes with a form: others that begin within it may
// end behind it.
func extent[T text](f *forms, s T, from, to int) int {
	for i := from + 1; i < to && i+shortest <= len(s); i++ {
		to = max(to, i+longest(f, s[i:]))
	}
	return to
}

// forms are the texts that stand for the value.
func (v Value) forms() []string {
	if len(v.value) < shortest {
		return nil
	}
	out := []string{v.value, base64.StdEncoding.EncodeToString([]byte(v.value)), url.QueryEscape(v.value), url.PathEscape(v.value)}
	if quoted, err := json.Marshal(v.value); err == nil {
		out = append(out, string(quoted[1:len(quoted)-1]))
	}
	return out
}

// String returns a text without the secrets in it.
func (m *Mask) String(s string) string {
	if m == nil {
		return s
	}
	known := m.known.Load()
	from, to := next(known, s)
	if to == 0 {
		return s
	}
	return string(replaced(known, []byte(s), from, to))
}

// Bytes returns text without the secrets in it: the text itself where it holds
// none, a copy otherwise.
func (m *Mask) Bytes(s []byte) []byte {
	if m == nil {
		return s
	}
	known := m.known.Load()
	from, to := next(known, s)
	if to == 0 {
		return s
	}
	return replaced(known, s, from, to)
}

// replaced returns a copy of a text without forms, of which the first is known.
func replaced(known *forms, s []byte, from, to int) []byte {
	out := make([]byte, 0, len(s)+len(Redacted))
	for to > 0 {
		out = append(append(out, s[:from]...), Redacted...)
		s = s[to:]
		from, to = next(known, s)
	}
	return append(out, s...)
}

// Writer returns a writer that masks what passes. A secret is found where it is
// whole in one Write, as the lines of a log are.
func (m *Mask) Writer(w io.Writer) io.Writer { return maskWriter{m, w} }

type maskWriter struct {
	mask *Mask
	w    io.Writer
}

func (w maskWriter) Write(p []byte) (int, error) {
	if _, err := w.w.Write(w.mask.Bytes(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

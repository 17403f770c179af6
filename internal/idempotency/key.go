package idempotency

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"
	"strings"

	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/plan"
)

// MaxKey bounds a key, in bytes.
const MaxKey = 255

// ParseKey reads a key as a caller gives it: the text itself, or, as the draft has
// it, a String of structured fields (RFC 9651 section 3.3.3), which is the same text
// in quotes. It is 1 to [MaxKey] printable characters of ASCII, without spaces in
// the form without quotes. The fault never repeats the key.
func ParseKey(text string) (string, *fault.Fault) {
	key, ok := text, true
	if strings.HasPrefix(text, `"`) {
		key, ok = unquoted(text)
	} else if strings.ContainsRune(text, ' ') {
		ok = false
	}
	if !ok || key == "" || len(key) > MaxKey || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", fault.New(fault.InvalidInput, "the idempotency key is not 1 to %d printable characters of ASCII without spaces, such as a UUID", MaxKey)
	}
	return key, nil
}

func unquoted(text string) (string, bool) {
	text, ok := strings.CutSuffix(text[1:], `"`)
	if !ok {
		return "", false
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '"' {
			return "", false
		}
		if c == '\\' {
			i++
			if i == len(text) || text[i] != '"' && text[i] != '\\' {
				return "", false
			}
			c = text[i]
		}
		out = append(out, c)
	}
	return string(out), true
}

// ID stands for a key of one caller at one adapter, Print for a request. Both are
// digests: a store never holds what callers send.
type (
	ID    [sha256.Size]byte
	Print [sha256.Size]byte
)

// fingerprint tells requests apart: by their operation and the values of all
// inputs. The order of an object's members and white space make no difference.
func fingerprint(operation string, args *plan.Args) Print {
	h := hasher{hash: sha256.New()}
	h.text(operation)
	if args.Textual {
		h.text("form")
	}
	for i := range args.Values {
		h.value(&args.Values[i])
	}
	// What a change depends on is part of what is asked for; of the other headers
	// that pass on, none changes the effect.
	for _, name := range [...]string{"If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since"} {
		for _, v := range args.Header[name] {
			h.text(name)
			h.text(v)
		}
	}
	// What was refused when the request was read has no value.
	for i := range args.Refused {
		h.text(args.Refused[i].Where())
	}
	var out Print
	h.hash.Sum(out[:0])
	return out
}

type hasher struct {
	hash hash.Hash
	room []byte
}

// text adds a text with its length, so that no two sequences are the same bytes.
func (h *hasher) text(s string) {
	h.number(len(s))
	_, _ = h.hash.Write(append(h.room[:0], s...)) // never fails
}

func (h *hasher) number(n int) {
	h.room = binary.AppendUvarint(h.room[:0], uint64(n))
	_, _ = h.hash.Write(h.room)
}

// value adds a value with its kind. Nesting is bounded by what the parser admits.
func (h *hasher) value(v *jsonvalue.Value) {
	if v.IsAbsent() {
		h.text("absent")
		return
	}
	h.text(v.Kind().String())
	switch v.Kind() {
	case jsonvalue.Object:
		members := slices.Clone(v.Elems())
		slices.SortStableFunc(members, func(a, b jsonvalue.Member) int { return strings.Compare(a.Name, b.Name) })
		h.number(len(members))
		for i := range members {
			h.text(members[i].Name)
			h.value(&members[i].Value)
		}
	case jsonvalue.Array:
		h.number(v.Len())
		for i := range v.Elems() {
			h.value(&v.Elems()[i].Value)
		}
	default:
		h.text(v.Text())
	}
}

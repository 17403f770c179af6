package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds the nesting of JSON text in a form field.
const maxDepth = 64

// object reads the members of a JSON object that came as text. Names are exact
// (encoding/json's structs would ignore case), unknown members are left alone,
// and null counts as absent. The first mistake is kept and ends nothing: read
// all members, then ask for err once.
type object struct {
	path    string // "Channel.properties", for messages
	members map[string]json.RawMessage
	mistake *error
}

// parseObject reads the form field name. An error tells the caller what the
// field must be.
func parseObject(name, text string) (object, error) {
	o := object{path: name, mistake: new(error)}
	if !utf8.ValidString(text) || !json.Valid([]byte(text)) {
		return o, fmt.Errorf("%s must be JSON text", name)
	}
	if depth(text) > maxDepth {
		return o, fmt.Errorf("%s must not be nested deeper than %d levels", name, maxDepth)
	}
	switch strings.TrimLeft(text, " \t\r\n")[0] {
	case '{':
	case '"':
		return o, fmt.Errorf("%s must be a JSON object, not a JSON string: it was encoded twice", name)
	default:
		return o, fmt.Errorf("%s must be a JSON object", name)
	}
	if err := json.Unmarshal([]byte(text), &o.members); err != nil {
		return o, fmt.Errorf("%s must be a JSON object", name)
	}
	return o, nil
}

// depth counts the nesting of valid JSON text.
func depth(text string) int {
	deepest, now := 0, 0
	inString := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}

func (o object) err() error { return *o.mistake }

func (o object) fault(format string, args ...any) {
	if *o.mistake == nil {
		*o.mistake = fmt.Errorf(format, args...)
	}
}

func (o object) has(key string) bool {
	raw, ok := o.members[key]
	return ok && string(raw) != "null"
}

// text reads a string member; absent is "".
func (o object) text(key string) string {
	if !o.has(key) {
		return ""
	}
	var s string
	if err := json.Unmarshal(o.members[key], &s); err != nil {
		o.fault("%s.%s must be a string", o.path, key)
	}
	return s
}

// requiredText reads a string member that must be there and not be empty.
func (o object) requiredText(key string) string {
	s := o.text(key)
	if s == "" {
		o.fault("%s.%s is required", o.path, key)
	}
	return s
}

// oneOf reads a required string member out of a closed set.
func (o object) oneOf(key string, allowed ...string) string {
	s := o.requiredText(key)
	if !slices.Contains(allowed, s) {
		o.fault("%s.%s must be one of %s", o.path, key, strings.Join(allowed, ", "))
	}
	return s
}

// sid reads an optional SID member.
func (o object) sid(key, prefix string) string {
	s := o.text(key)
	if s != "" && !isSID(prefix, s) {
		o.fault("%s.%s must be a SID of the form %s and 32 hexadecimal digits", o.path, key, prefix)
	}
	return s
}

// whole reads an optional integer member that must not be negative.
func (o object) whole(key string, fallback int64) int64 {
	if !o.has(key) {
		return fallback
	}
	var n int32 // the range of the task's own fields
	if err := json.Unmarshal(o.members[key], &n); err != nil || n < 0 {
		o.fault("%s.%s must be an integer of at least 0", o.path, key)
	}
	return int64(n)
}

// object reads a member that is an object; an absent one has no members.
func (o object) object(key string) object {
	inner := object{path: o.path + "." + key, mistake: o.mistake}
	if !o.has(key) {
		return inner
	}
	if err := json.Unmarshal(o.members[key], &inner.members); err != nil {
		o.fault("%s must be an object", inner.path)
	}
	return inner
}

// objects reads a member that is a list of objects.
func (o object) objects(key string) []object {
	if !o.has(key) {
		return nil
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(o.members[key], &raw); err != nil {
		o.fault("%s.%s must be an array", o.path, key)
		return nil
	}
	list := make([]object, 0, len(raw))
	for i, member := range raw {
		inner := object{path: fmt.Sprintf("%s.%s[%d]", o.path, key, i), mistake: o.mistake}
		err := json.Unmarshal(member, &inner.members)
		if err == nil && inner.members == nil {
			err = errors.New("null")
		}
		if err != nil {
			o.fault("%s must be an object", inner.path)
			return nil
		}
		list = append(list, inner)
	}
	return list
}

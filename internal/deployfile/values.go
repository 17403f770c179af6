package deployfile

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"patchbay/internal/diag"
	"patchbay/internal/secret"
	"patchbay/internal/yamltext"
)

// textForm is a form of texts. The reader and the schema go by the same pattern,
// which RE2 and ECMA-262 read alike.
type textForm struct {
	// want says what the text has to be, as in "must be …".
	want, pattern string
	// path means that the text is a path, relative to the deployment file.
	path bool
	// input and required make it one that has to be there; see [Path].
	input, required bool
}

func (f textForm) schema() *schema {
	return &schema{Type: "string", Pattern: f.pattern, ErrorMessage: "Must be " + f.want + "."}
}

// The forms. None of them takes the references that only secrets may be.
func plain() textForm {
	return textForm{want: "text", pattern: `^([^$]|\$([^{]|$))`}
}

func filePath() textForm {
	return textForm{want: "a path", pattern: plain().pattern, path: true}
}

func inputPath() textForm {
	return textForm{want: "a path", pattern: plain().pattern, path: true, input: true, required: true}
}

func servedPath() textForm {
	return textForm{want: "a path", pattern: plain().pattern, path: true, required: true}
}

func hostPort() textForm {
	return textForm{want: "HOST:PORT, such as 127.0.0.1:8080", pattern: `^(\[[0-9A-Fa-f:.]+(%[0-9A-Za-z]+)?\]|[0-9A-Za-z._-]*):([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$`}
}

func httpAddress() textForm {
	return textForm{want: "an http or https address without credentials, query and fragment", pattern: `^https?://[^/?#@\s]+(/[^?#@\s]*)?$`}
}

func proxyAddress() textForm {
	return textForm{want: "none, or the http, https or socks5 address of a proxy without credentials", pattern: `^(none|(https?|socks5)://[^/?#@\s]+/?)$`}
}

func origin() textForm {
	return textForm{want: "an origin, such as https://app.example", pattern: `^https?://[^/?#@\s]+$`}
}

func mountPath() textForm {
	return textForm{want: "a path such as /twilio, of letters, digits and -._~, without a slash at its end", pattern: `^(/[0-9A-Za-z_~-][0-9A-Za-z._~-]*)+$`}
}

func variableName() textForm {
	return textForm{want: "the NAME of a variable, never its value", pattern: `^[A-Za-z_][0-9A-Za-z_]*$`}
}

func qualifiedVariable() textForm {
	return textForm{want: "NAME or NAMESPACE.NAME", pattern: `^([0-9A-Za-z*_-][0-9A-Za-z*._-]*\.)?[A-Za-z_][0-9A-Za-z_]*$`}
}

func callerName() textForm {
	return textForm{want: "a name of letters, digits and -._@:, at most 64", pattern: `^[0-9A-Za-z._@:-]{1,64}$`}
}

func headerName() textForm {
	return textForm{want: "the name of a header", pattern: "^[0-9A-Za-z!#$%&'*+.^_`|~-]+$"}
}

func anyName() textForm { return textForm{want: "a name", pattern: `^.+$`} }

// fits reports whether a scalar has a form, and says so where it has not. What
// is refused is not shown: it may be a secret in the wrong place.
func (r *reader) fits(what string, form textForm, n *node) bool {
	if r.matches(form.pattern, n.Value) {
		return true
	}
	r.hide(n)
	d := r.errorf(CodeBadValue, r.at(n), "%s must be %s", what, form.want)
	if strings.HasPrefix(n.Value, "${") {
		d.WithHint("only secrets are taken from files and variables; everything else stands here or comes from a flag")
	}
	return false
}

// scalarText reads text of a form; a path is joined to the file's folder.
func (r *reader) scalarText(what string, form textForm, n *node) (string, bool) {
	if n.Kind != yamltext.ScalarNode || n.Tag != yamltext.TagText {
		d := r.wrongKind(what, n, "text")
		if n.Kind == yamltext.ScalarNode && !yamltext.IsNull(n) {
			d.WithHint("put it in quotes")
		}
		return "", false
	}
	if !r.fits(what, form, n) {
		return "", false
	}
	if !form.path {
		return n.Value, true
	}
	path := r.path(n.Value)
	if form.required {
		r.file.Paths = append(r.file.Paths, Path{path, r.at(n), form.input})
	}
	return path, true
}

// text takes text of a form.
func text[T any](form textForm, into func(*T) *string) target[T] {
	words := "text"
	if form.path {
		words = "path"
	}
	return target[T]{kind{words: words, schema: form.schema()}, func(r *reader, m member, t *T) {
		if v, ok := r.scalarText(m.key.Value, form, m.val); ok {
			*into(t) = v
		}
	}}
}

// texts takes a list of texts of a form.
func texts[T any](form textForm, into func(*T) *[]string) target[T] {
	words := "list of text"
	if form.path {
		words = "list of paths"
	}
	return target[T]{
		kind{words: words, schema: &schema{Type: "array", MinItems: 1, Items: form.schema()}},
		func(r *reader, m member, t *T) {
			for _, item := range r.items(m, false) {
				if v, ok := r.scalarText("an entry of "+m.key.Value, form, item); ok {
					*into(t) = append(*into(t), v)
				}
			}
		},
	}
}

// textsByName takes a mapping from names to lists of texts.
func textsByName[T any](name, form textForm, into func(*T) *map[string][]string) target[T] {
	list := &schema{Type: "array", MinItems: 1, Items: form.schema()}
	return target[T]{
		kind{words: "mapping of names to lists of text", schema: &schema{Type: "object", PropertyNames: name.schema(), AdditionalProperties: list}},
		func(r *reader, m member, t *T) {
			r.each(m, func(entry member) {
				if !r.fits("a name in "+m.key.Value, name, entry.key) {
					r.hide(entry.val)
					return
				}
				var out []string
				for _, item := range r.items(entry, false) {
					if v, ok := r.scalarText("an entry of "+clip(entry.key.Value), form, item); ok {
						out = append(out, v)
					}
				}
				store(into(t), entry.key.Value, out)
			})
		},
	}
}

// textByName takes a mapping from names to texts.
func textByName[T any](name, form textForm, note func(r *reader, name *node), into func(*T) *map[string]string) target[T] {
	return target[T]{
		kind{words: "mapping of names to text", schema: &schema{Type: "object", PropertyNames: name.schema(), AdditionalProperties: form.schema()}},
		func(r *reader, m member, t *T) {
			r.each(m, func(entry member) {
				if !r.fits("a name in "+m.key.Value, name, entry.key) {
					r.hide(entry.val)
					return
				}
				if v, ok := r.scalarText(clip(entry.key.Value), form, entry.val); ok {
					note(r, entry.key)
					store(into(t), entry.key.Value, v)
				}
			})
		},
	}
}

// word takes one of a few words.
func word[T any](words []string, into func(*T) *string) target[T] {
	return target[T]{
		kind{words: "`" + strings.Join(words, "`, `") + "`", schema: &schema{Enum: words}},
		func(r *reader, m member, t *T) {
			if r.isWord(m.key.Value, words, m.val) {
				*into(t) = m.val.Value
			}
		},
	}
}

// wordList takes a list of some of a few words.
func wordList[T any](words []string, into func(*T) *[]string) target[T] {
	return target[T]{
		kind{words: "list of `" + strings.Join(words, "`, `") + "`", schema: &schema{Type: "array", MinItems: 1, Items: &schema{Enum: words}}},
		func(r *reader, m member, t *T) {
			for _, item := range r.items(m, false) {
				if r.isWord("an entry of "+m.key.Value, words, item) {
					*into(t) = append(*into(t), item.Value)
				}
			}
		},
	}
}

func (r *reader) isWord(what string, words []string, n *node) bool {
	if n.Kind != yamltext.ScalarNode || n.Tag != yamltext.TagText {
		r.wrongKind(what, n, "one of "+strings.Join(words, ", "))
		return false
	}
	if !slices.Contains(words, n.Value) {
		// Text that is no slip of any of the words may be what belongs to another key.
		if diag.Nearest(n.Value, words) == "" {
			r.hide(n)
			r.errorf(CodeBadValue, r.at(n), "%s must be one of %s", what, strings.Join(words, ", "))
			return false
		}
		r.errorf(CodeBadValue, r.at(n), "%q is no %s", clip(n.Value), what).WithNearest(n.Value, words, "expected ")
		return false
	}
	return true
}

// boolean takes true or false.
func boolean[T any](into func(*T) *bool) target[T] {
	return target[T]{kind{words: "`true` or `false`", schema: &schema{Type: "boolean"}}, func(r *reader, m member, t *T) {
		if m.val.Kind != yamltext.ScalarNode || m.val.Tag != yamltext.TagBool {
			r.wrongKind(m.key.Value, m.val, "true or false")
			return
		}
		*into(t) = strings.EqualFold(m.val.Value, "true")
	}}
}

// inverted takes true or false for its opposite.
func inverted[T any](into func(*T) *bool) target[T] {
	out := boolean(into)
	read := out.read
	out.read = func(r *reader, m member, t *T) {
		before := len(r.findings)
		if read(r, m, t); len(r.findings) == before {
			*into(t) = !*into(t)
		}
	}
	return out
}

// integer takes a whole number, or a word that stands for one outside of the range.
func integer[T any](low, high int, special string, stands int, into func(*T) *int) target[T] {
	k := kind{words: "whole number", schema: &schema{Type: "integer", Minimum: float(low), Maximum: float(high)}}
	want := "a whole number"
	if special != "" {
		k.words += " or `" + special + "`"
		k.schema = &schema{AnyOf: []*schema{k.schema, {Enum: []string{special}}}}
		want += " or " + special
	}
	return target[T]{k, func(r *reader, m member, t *T) {
		if special != "" && m.val.Kind == yamltext.ScalarNode && m.val.Value == special {
			*into(t) = stands
			return
		}
		if m.val.Kind != yamltext.ScalarNode || m.val.Tag != yamltext.TagInt {
			r.wrongKind(m.key.Value, m.val, want)
			return
		}
		n, err := strconv.ParseInt(strings.ReplaceAll(m.val.Value, "_", ""), 0, 64)
		if err != nil || n < int64(low) || n > int64(high) {
			r.errorf(CodeBadValue, r.at(m.val), "%s must be from %d to %d", m.key.Value, low, high)
			return
		}
		*into(t) = int(n)
	}}
}

// number takes a number, with or without a fraction.
func number[T any](low, high float64, into func(*T) *float64) target[T] {
	return target[T]{
		kind{words: "number", schema: &schema{Type: "number", Minimum: &low, Maximum: &high}},
		func(r *reader, m member, t *T) {
			if m.val.Kind != yamltext.ScalarNode || m.val.Tag != yamltext.TagInt && m.val.Tag != yamltext.TagFloat {
				r.wrongKind(m.key.Value, m.val, "a number")
				return
			}
			n, err := strconv.ParseFloat(strings.ReplaceAll(m.val.Value, "_", ""), 64)
			if err != nil || math.IsNaN(n) || n < low || n > high {
				r.errorf(CodeBadValue, r.at(m.val), "%s must be from %g to %g", m.key.Value, low, high)
				return
			}
			*into(t) = n
		},
	}
}

// The texts of durations and sizes. Digits are bounded, so that nothing
// overflows.
const (
	durationPattern = `^([0-9]{1,6}(\.[0-9]{1,6})?(ms|s|m|h)){1,3}$`
	noDuration      = `^[0.msh]*$`
	sizePattern     = `^[1-9][0-9]{0,6}(B|KiB|MiB|GiB|kB|MB|GB)$`
)

// duration takes a time such as 5s. Zero is taken where it means something.
func duration[T any](zero bool, into func(*T) *time.Duration) target[T] {
	s := &schema{Type: "string", Pattern: durationPattern, ErrorMessage: "Must be a duration, such as 500ms, 5s or 1m30s."}
	if !zero {
		s.Not = &schema{Pattern: noDuration}
	}
	above := ""
	if !zero {
		above = " above zero"
	}
	return target[T]{kind{words: "duration", schema: s}, func(r *reader, m member, t *T) {
		if m.val.Kind != yamltext.ScalarNode || m.val.Tag != yamltext.TagText {
			d := r.wrongKind(m.key.Value, m.val, "a duration")
			if m.val.Tag == yamltext.TagInt {
				d.WithHint("a number needs its unit: 500ms, 5s, 1m30s")
			}
			return
		}
		v, err := time.ParseDuration(m.val.Value)
		if !r.matches(durationPattern, m.val.Value) || err != nil || v == 0 && !zero {
			r.hide(m.val)
			r.errorf(CodeBadValue, r.at(m.val), "%s must be a duration%s", m.key.Value, above).WithHint("write it like 500ms, 5s or 1m30s")
			return
		}
		*into(t) = v
	}}
}

// maxBytes bounds sizes.
const maxBytes = 1 << 40

// size takes a number of bytes, or a text such as 10MiB, or a word that stands
// for another number.
func size[T any, N int | int64](special string, stands N, into func(*T) *N) target[T] {
	k := kind{words: "size", schema: &schema{AnyOf: []*schema{
		{Type: "integer", Minimum: float(1), Maximum: float(maxBytes)},
		{Type: "string", Pattern: sizePattern, ErrorMessage: "Must be a size, such as 10MiB."},
	}}}
	if special != "" {
		k.words += " or `" + special + "`"
		k.schema.AnyOf = append(k.schema.AnyOf, &schema{Enum: []string{special}})
	}
	return target[T]{k, func(r *reader, m member, t *T) {
		if m.val.Kind != yamltext.ScalarNode || m.val.Tag != yamltext.TagInt && m.val.Tag != yamltext.TagText {
			r.wrongKind(m.key.Value, m.val, "a size")
			return
		}
		if special != "" && m.val.Value == special {
			*into(t) = stands
			return
		}
		n, ok := r.bytes(m.val)
		if !ok {
			r.hide(m.val)
			r.errorf(CodeBadValue, r.at(m.val), "%s must be a size of at least one byte", m.key.Value).WithHint("write it like 64KiB, 10MiB or 1GB, or as a number of bytes")
			return
		}
		*into(t) = N(n)
	}}
}

// bytes reads a size.
func (r *reader) bytes(n *node) (int64, bool) {
	if n.Tag == yamltext.TagInt {
		v, err := strconv.ParseInt(strings.ReplaceAll(n.Value, "_", ""), 0, 64)
		return v, err == nil && v > 0 && v <= maxBytes
	}
	if !r.matches(sizePattern, n.Value) {
		return 0, false
	}
	unit := strings.TrimLeft(n.Value, "0123456789")
	v, err := strconv.ParseInt(strings.TrimSuffix(n.Value, unit), 10, 64)
	if err != nil {
		return 0, false
	}
	switch unit {
	case "KiB":
		v <<= 10
	case "MiB":
		v <<= 20
	case "GiB":
		v <<= 30
	case "kB":
		v *= 1e3
	case "MB":
		v *= 1e6
	case "GB":
		v *= 1e9
	}
	return v, true
}

// referencePattern is how a secret is named: by file or by variable.
const referencePattern = `^\$\{(file:[^}\s][^}]*|env:[A-Za-z_][0-9A-Za-z_]*)\}$`

func isReference(s string) bool { return strings.HasPrefix(s, "${") && strings.HasSuffix(s, "}") }

func referenceSchema() *schema {
	return &schema{Type: "string", Pattern: referencePattern, ErrorMessage: "Must be ${file:PATH} or ${env:NAME}."}
}

// secretOf takes a secret.
func secretOf[T any](into func(*T) *secret.Value) target[T] {
	return target[T]{kind{words: "secret", schema: referenceSchema()}, func(r *reader, m member, t *T) {
		if v, ok := r.secret(m); ok {
			*into(t) = v
		}
	}}
}

// secretByName takes a mapping from names to secrets.
func secretByName[T any](name textForm, into func(*T) *map[string]secret.Value) target[T] {
	return target[T]{
		kind{words: "mapping of names to secrets", schema: &schema{Type: "object", PropertyNames: name.schema(), AdditionalProperties: referenceSchema()}},
		func(r *reader, m member, t *T) {
			r.each(m, func(entry member) {
				if !r.fits("a name in "+m.key.Value, name, entry.key) {
					r.hide(entry.val)
					return
				}
				if v, ok := r.secret(entry); ok {
					store(into(t), entry.key.Value, v)
				}
			})
		},
	}
}

// secret reads the reference to a secret, and the secret itself where it may.
func (r *reader) secret(m member) (secret.Value, bool) {
	n, none := m.val, secret.Value{}
	what := clip(m.key.Value)
	switch {
	case n.Kind != yamltext.ScalarNode:
		r.wrongKind(what, n, "a reference to a secret").WithHint("write ${file:PATH} or ${env:NAME}")
		return none, false
	case !isReference(n.Value):
		r.hide(n)
		r.errorf(CodeSecretLiteral, r.at(n), "%s holds a secret itself", what).WithHint("write ${file:PATH} or ${env:NAME}, and give out a new secret if this file has been seen")
		return none, false
	case n.Tag != yamltext.TagText || !r.matches(referencePattern, n.Value):
		r.hide(n)
		r.errorf(CodeBadValue, r.at(n), "%s is no reference to a secret", what).WithHint("write ${file:PATH} or ${env:NAME}")
		return none, false
	}
	scheme, name, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(n.Value, "${"), "}"), ":")
	if scheme == "file" {
		name = r.path(name)
		if !slices.Contains(r.file.SecretFiles, name) {
			r.file.SecretFiles = append(r.file.SecretFiles, name)
		}
	}
	if r.secrets == nil {
		return secret.New(n.Value), true
	}
	if scheme == "env" {
		v, ok := r.secrets.Variable(name)
		if !ok || v.IsZero() {
			r.errorf(CodeSecretMissing, r.at(n), "the variable %s has no value", name).WithHint("set it in the environment or in an env file")
			return none, false
		}
		return v, true
	}
	v, exposed, err := r.secrets.SecretFile(name)
	switch {
	case err != nil:
		r.errorf(CodeSecretMissing, r.at(n), "the secret cannot be read: %v", err)
		return none, false
	case v.IsZero():
		r.errorf(CodeSecretMissing, r.at(n), "the file %s is empty", name)
		return none, false
	case exposed && len(r.findings) < maxFindings:
		r.findings.Warnf(CodeSecretExposed, r.at(n), "others than its owner may read %s", name).WithHint("chmod 600 %s", name)
	}
	return v, true
}

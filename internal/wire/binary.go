package wire

import (
	"encoding/base64"
	"mime"
	"strings"
)

const errBinary wireError = "is neither base64 nor a data: URL"

// Binary is what a text that stands for bytes says: the bytes, and what a
// data: URL adds about them.
type Binary struct {
	Data []byte
	// Media and Filename are "" where the text does not say.
	Media, Filename string
}

// ParseBinary reads bytes from JSON text, which cannot hold them as they are:
// base64 (RFC 4648 section 4 or 5, padded or not) or a data: URL (RFC 2397), of which a
// parameter name= is taken for a file's name.
func ParseBinary(text string) (Binary, error) {
	if IsDataURL(text) {
		return parseDataURL(text)
	}
	data, ok := decodeBase64(text)
	if !ok {
		return Binary{}, errBinary
	}
	return Binary{Data: data}, nil
}

// IsDataURL reports whether a text begins like a data: URL.
func IsDataURL(text string) bool {
	return len(text) > len("data:") && strings.EqualFold(text[:len("data:")], "data:") && strings.Contains(text, ",")
}

func parseDataURL(text string) (Binary, error) {
	head, content, _ := strings.Cut(text[len("data:"):], ",")
	head, encoded := strings.CutSuffix(head, ";base64")
	if strings.HasPrefix(head, ";") {
		head = "text/plain" + head // the type may be left out before a parameter
	}
	var out Binary
	if head != "" {
		media, params, err := mime.ParseMediaType(head)
		if err != nil || !strings.Contains(media, "/") {
			return Binary{}, errBinary
		}
		out.Filename = params["name"]
		delete(params, "name")
		out.Media = mime.FormatMediaType(media, params)
	}
	plain, err := percentDecoded(content)
	if err != nil {
		return Binary{}, errBinary
	}
	if !encoded {
		out.Data = []byte(plain)
		return out, nil
	}
	data, ok := decodeBase64(plain)
	if !ok {
		return Binary{}, errBinary
	}
	out.Data = data
	return out, nil
}

// decodeBase64 accepts both alphabets, padding or none, and line breaks.
func decodeBase64(text string) ([]byte, bool) {
	text = strings.NewReplacer("\r", "", "\n", "", "-", "+", "_", "/").Replace(text)
	data, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	return data, err == nil
}

// percentDecoded decodes percent escapes; unlike in a form, a plus sign is itself.
func percentDecoded(s string) (string, error) {
	if !strings.Contains(s, "%") {
		return s, nil
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out = append(out, s[i])
			continue
		}
		if i+2 >= len(s) || unhex(s[i+1]) < 0 || unhex(s[i+2]) < 0 {
			return "", errEscape
		}
		out = append(out, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
		i += 2
	}
	return string(out), nil
}

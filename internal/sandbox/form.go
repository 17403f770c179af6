package sandbox

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"
)

const (
	maxBody   = 1 << 20
	maxFields = 1000
)

var errTooManyFields = errors.New("too many form fields")

// form holds the parameters found in a body. A key that is sent twice counts
// with its first value, as a servlet container reads it.
type form struct {
	keys   []string // in the order sent, each once
	values map[string]string
}

// get returns a parameter's text. Keys are case-sensitive.
func (f form) get(key string) (string, bool) {
	v, ok := f.values[key]
	return v, ok
}

func (f *form) add(key, value string) error {
	if _, ok := f.values[key]; ok {
		return nil
	}
	if len(f.keys) == maxFields {
		return errTooManyFields
	}
	if f.values == nil {
		f.values = map[string]string{}
	}
	f.keys = append(f.keys, key)
	f.values[key] = value
	return nil
}

// parseForm reads the parameters of a body. A body of another media type, or
// none, holds no parameters: that is how the provider comes to say that one is
// missing which the caller did send, as JSON. The only error is too many fields.
func parseForm(contentType string, body []byte) (form, error) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return form{}, nil
	}
	switch media {
	case "application/x-www-form-urlencoded":
		return parseURLEncoded(string(body))
	case "multipart/form-data":
		return parseMultipart(body, params["boundary"])
	default:
		return form{}, nil
	}
}

// parseURLEncoded skips pairs with broken escapes and keeps the others.
func parseURLEncoded(body string) (form, error) {
	var f form
	pairs := 0
	for pair := range strings.SplitSeq(body, "&") {
		if pair == "" {
			continue
		}
		if pairs++; pairs > maxFields {
			return f, errTooManyFields
		}
		key, value, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(key)
		if err != nil {
			continue
		}
		value, err = url.QueryUnescape(value)
		if err != nil {
			continue
		}
		if err := f.add(key, value); err != nil {
			return f, err
		}
	}
	return f, nil
}

// parseMultipart reads fields until the body ends or breaks; files are not
// parameters.
func parseMultipart(body []byte, boundary string) (form, error) {
	var f form
	if boundary == "" {
		return f, nil
	}
	reader := multipart.NewReader(bytes.NewReader(body), boundary)
	for parts := 1; ; parts++ {
		part, err := reader.NextPart()
		if err != nil {
			return f, nil
		}
		if parts > maxFields {
			return f, errTooManyFields
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return f, nil
		}
		if part.FormName() == "" || part.FileName() != "" {
			continue
		}
		if err := f.add(part.FormName(), string(value)); err != nil {
			return f, err
		}
	}
}

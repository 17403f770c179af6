package telemetry

import (
	"errors"
	"net/url"
	"strings"

	"patchbay/internal/secret"
)

// ParseHeaders reads headers as OTEL_EXPORTER_OTLP_HEADERS has them: pairs
// name=value with commas between, values percent-encoded (W3C Baggage). Errors
// repeat nothing of the text.
func ParseHeaders(text string) (map[string]secret.Value, error) {
	if text == "" {
		return nil, nil
	}
	out := map[string]secret.Value{}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		switch {
		case !ok || name == "" || strings.ContainsFunc(name, notToken) || err != nil:
			return nil, errors.New("want name=value,name=value, with values percent-encoded")
		case strings.ContainsFunc(decoded, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			return nil, errors.New("a value holds characters that no header may carry")
		}
		out[name] = secret.New(decoded)
	}
	return out, nil
}

// notToken reports characters that no header's name has (RFC 9110 section 5.6.2).
func notToken(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", r)
}

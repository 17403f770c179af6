package telemetry

import (
	"strings"

	"patchbay/internal/secret"
)

// causeOf is the text of an error as it is told: without secrets that are
// known, without what it quotes, and not long. Errors of the network and of
// parsers quote what somebody else has sent; that may be anybody's data, and
// what kind of error it is stands before the quotation.
func causeOf(err error, mask *secret.Mask) string {
	text := mask.String(err.Error())
	// net/textproto repeats a line of a header without quotation marks.
	if before, _, found := strings.Cut(text, "malformed MIME header line:"); found {
		text = before + "malformed MIME header line"
	}
	return clip(withoutQuotations(text))
}

// withoutQuotations replaces what stands between quotation marks, as
// [strconv.Quote] writes them, by an ellipsis.
func withoutQuotations(s string) string {
	if strings.IndexByte(s, '"') < 0 {
		return s
	}
	var out strings.Builder
	inside := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case inside && c == '\\':
			i++
		case c == '"':
			inside = !inside
			if inside {
				out.WriteString(`"…"`)
			}
		case !inside:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// clip bounds text that comes from elsewhere, in bytes.
func clip(s string) string {
	const most = 500
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

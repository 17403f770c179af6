package plan

import (
	"mime"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/wire"
)

// encoding is how a request body is written.
type encoding uint8

const (
	encodeJSON encoding = iota
	encodeForm
	encodeMultipart
	// encodeText sends text as it is, encodeBinary the bytes that a text stands for.
	encodeText
	encodeBinary
)

// String names what the upstream takes.
func (e encoding) String() string {
	switch e {
	case encodeForm:
		return "a form"
	case encodeMultipart:
		return "a form of parts"
	case encodeText:
		return "text"
	case encodeBinary:
		return "bytes"
	default:
		return "JSON"
	}
}

// encodingOf is the encoding of a media type.
func encodingOf(media string) encoding {
	kind, _, _ := strings.Cut(strings.ToLower(media), ";")
	switch kind = strings.TrimSpace(kind); {
	case kind == wire.MediaForm:
		return encodeForm
	case strings.HasPrefix(kind, "multipart/"):
		return encodeMultipart
	case kind == wire.MediaJSON || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "/json"):
		return encodeJSON
	case strings.HasPrefix(kind, "text/") || kind == wire.MediaXML || kind == wire.MediaSPARQL || strings.HasSuffix(kind, "+xml"),
		kind == "application/sparql-update" || kind == "application/graphql" || kind == "application/x-ndjson" || kind == "application/yaml":
		return encodeText
	default:
		return encodeBinary
	}
}

// bodyMedia is the media type that a body's type means: a word of one of the
// generations of the format, or a media type itself.
func bodyMedia(word string) (media string, ok bool) {
	switch diag.Fold(word) {
	case "json":
		return wire.MediaJSON, true
	case "form", "formurlencoded", "urlencoded", "xwwwformurlencoded":
		return wire.MediaForm, true
	case "multipart", "multipartform", "multipartformdata", "formdata":
		return wire.MediaMultipart, true
	case "text", "plain", "string", "raw":
		return wire.MediaText, true
	case "xml":
		return wire.MediaXML, true
	case "sparql":
		return wire.MediaSPARQL, true
	case "binary", "file", "bytes", "octetstream":
		return wire.MediaBinary, true
	}
	media, params, err := mime.ParseMediaType(word)
	if err != nil || !strings.Contains(media, "/") {
		return "", false
	}
	if encodingOf(media) == encodeMultipart {
		return wire.MediaMultipart, media == wire.MediaMultipart
	}
	return mime.FormatMediaType(media, params), true
}

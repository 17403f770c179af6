package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"strings"
)

// The bounds of a multipart body.
const (
	MaxParts     = 1000
	MaxMultipart = 64 << 20
)

// Part is one part of a multipart/form-data body (RFC 7578).
type Part struct {
	Name string
	// Filename makes the part a file; "" leaves it a field.
	Filename string
	// ContentType is the part's media type, "" for the default, text/plain.
	ContentType string
	Data        []byte
}

// AppendMultipart appends parts as a multipart/form-data body and returns the
// boundary between them. The boundary is a digest of the content, so that the
// same parts give the same bytes and no caller can choose a value that ends its
// part; that no part contains it is checked all the same. A content type that
// is none, too many parts and too many bytes are errors.
func AppendMultipart(dst []byte, parts []Part) (body []byte, boundary string, err error) {
	if len(parts) > MaxParts {
		return nil, "", fmt.Errorf("more than %d parts", MaxParts)
	}
	size := 0
	for i := range parts {
		p := &parts[i]
		if size += len(p.Data) + len(p.Name) + len(p.Filename); size > MaxMultipart {
			return nil, "", fmt.Errorf("more than %d bytes", MaxMultipart)
		}
		if p.ContentType == "" {
			continue
		}
		media, _, bad := mime.ParseMediaType(p.ContentType)
		if kind, sub, ok := strings.Cut(media, "/"); bad != nil || !ok || kind == "" || sub == "" || !headerText(p.ContentType) {
			return nil, "", fmt.Errorf("%q is not a content type", clip(p.ContentType))
		}
	}
	boundary = boundaryOf(parts)
	for i := range parts {
		dst = appendPart(dst, boundary, &parts[i])
	}
	dst = append(dst, "--"...)
	dst = append(dst, boundary...)
	return append(dst, "--\r\n"...), boundary, nil
}

// boundaryOf is a boundary that occurs in no part.
func boundaryOf(parts []Part) string {
	digest := sha256.New()
	for i := range parts {
		fmt.Fprintf(digest, "%q %q %q %d ", parts[i].Name, parts[i].Filename, parts[i].ContentType, len(parts[i].Data))
		digest.Write(parts[i].Data)
	}
	for {
		sum := digest.Sum(nil)
		boundary := "patchbay-" + hex.EncodeToString(sum[:16])
		clash := false
		for i := range parts {
			clash = clash || bytes.Contains(parts[i].Data, []byte(boundary))
		}
		if !clash {
			return boundary
		}
		digest.Write(sum)
	}
}

func appendPart(dst []byte, boundary string, p *Part) []byte {
	dst = append(dst, "--"...)
	dst = append(dst, boundary...)
	dst = append(dst, "\r\nContent-Disposition: form-data; name=\""...)
	dst = appendDisposition(dst, p.Name)
	dst = append(dst, '"')
	if p.Filename != "" {
		dst = append(dst, "; filename=\""...)
		dst = appendDisposition(dst, p.Filename)
		dst = append(dst, '"')
	}
	if p.ContentType != "" {
		dst = append(dst, "\r\nContent-Type: "...)
		dst = append(dst, p.ContentType...)
	}
	dst = append(dst, "\r\n\r\n"...)
	dst = append(dst, p.Data...)
	return append(dst, "\r\n"...)
}

// appendDisposition escapes a name as browsers do (HTML standard, "multipart
// form data"): what would end the quoted text, or the line, is percent-encoded.
func appendDisposition(dst []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c < ' ' || c == 0x7f:
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// headerText reports whether s can stand in a header (RFC 9110 section 5.5).
func headerText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

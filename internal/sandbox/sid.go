package sandbox

import (
	"encoding/hex"
	"io"
	"strings"
)

// sidLength is two letters and 32 hexadecimal digits.
const sidLength = 34

// isSID reports whether s is a SID with the prefix. Both cases of the digits
// fit the documented pattern; issued ones are lower-case.
func isSID(prefix, s string) bool {
	if len(s) != sidLength || !strings.HasPrefix(s, prefix) {
		return false
	}
	for _, c := range []byte(s[len(prefix):]) {
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'f', 'A' <= c && c <= 'F':
		default:
			return false
		}
	}
	return true
}

// entropy makes SIDs. A failed read makes zeros and is kept until taken, so
// that an endpoint needs one check for all the SIDs it makes.
type entropy struct {
	source io.Reader
	err    error
}

func (e *entropy) sid(prefix string) string {
	var raw [16]byte
	if _, err := io.ReadFull(e.source, raw[:]); err != nil {
		e.err = err
		raw = [16]byte{}
	}
	return prefix + hex.EncodeToString(raw[:])
}

// take returns and forgets the first failure since the last take.
func (e *entropy) take() error {
	err := e.err
	e.err = nil
	return err
}

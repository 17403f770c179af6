package sandbox

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
)

// maxUsername bounds a user name; a SID has 34 characters.
const maxUsername = 128

// gate checks HTTP basic credentials. It holds digests only, so that
// comparing takes the same time whatever the lengths.
type gate struct {
	username, password       [sha256.Size]byte
	checkUsername, checkPass bool
}

func newGate(username, password string) gate {
	return gate{
		username:      sha256.Sum256([]byte(username)),
		password:      sha256.Sum256([]byte(password)),
		checkUsername: username != "",
		checkPass:     password != "",
	}
}

// admit returns the user name, or why the request is refused. The password
// goes no further than this function.
func (g gate) admit(r *http.Request) (user string, why reason, ok bool) {
	header := r.Header.Get("Authorization")
	user, pass, parsed := r.BasicAuth()
	switch {
	case header == "":
		return "", noCredentials, false
	case !parsed:
		return "", badUsername, false
	case !g.checkUsername && !wellFormed(user):
		return "", badUsername, false
	case pass == "" && !g.checkPass:
		return "", wrongCredentials, false
	}
	u, p := sha256.Sum256([]byte(user)), sha256.Sum256([]byte(pass))
	sameUser := subtle.ConstantTimeCompare(u[:], g.username[:]) == 1
	samePass := subtle.ConstantTimeCompare(p[:], g.password[:]) == 1
	if (g.checkUsername && !sameUser) || (g.checkPass && !samePass) {
		return "", wrongCredentials, false
	}
	return user, 0, true
}

// wellFormed is the rule of the official Go client: letters and digits only.
func wellFormed(user string) bool {
	if user == "" || len(user) > maxUsername {
		return false
	}
	for _, c := range []byte(user) {
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		default:
			return false
		}
	}
	return true
}

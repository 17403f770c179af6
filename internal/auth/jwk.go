package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"math/big"
	"slices"
	"strings"

	"patchbay/internal/jsonvalue"
)

// Bounds of keys that issuers publish.
const (
	maxKeys    = 100
	minRSABits = 2048
	maxRSABits = 8192
)

// publicKey is a key of an issuer (RFC 7517) that can check signatures.
type publicKey struct {
	id string
	// algorithms are those that the key is for.
	algorithms []string
	key        crypto.PublicKey
}

// parseKeys reads a set of keys. What is no key for signatures, or is of a type
// that is not known here, is left out: sets hold keys for other purposes too.
// Symmetric keys are never taken.
func parseKeys(data []byte) ([]publicKey, error) {
	root, err := jsonvalue.Parse(data)
	if err != nil {
		return nil, errors.New("the set of keys is not JSON")
	}
	list := root.Get("keys")
	if list == nil || list.Kind() != jsonvalue.Array {
		return nil, errors.New("the set of keys has no list of keys")
	}
	if list.Len() > maxKeys {
		return nil, errors.New("the set of keys has more than 100 keys")
	}
	var out []publicKey
	for i := range list.Elems() {
		if k, ok := parseKey(&list.Elems()[i].Value); ok {
			out = append(out, k)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("the set of keys has no key for signatures")
	}
	return out, nil
}

func parseKey(v *jsonvalue.Value) (publicKey, bool) {
	text := func(name string) string {
		if m := v.Get(name); m != nil && m.Kind() == jsonvalue.String {
			return m.Text()
		}
		return ""
	}
	number := func(name string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text(name), "="))
		if err != nil {
			return nil
		}
		return b
	}
	if use := text("use"); use != "" && use != "sig" {
		return publicKey{}, false
	}
	if operations := v.Get("key_ops"); operations != nil && !slices.ContainsFunc(operations.Elems(), func(m jsonvalue.Member) bool { return m.Value.Text() == "verify" }) {
		return publicKey{}, false
	}
	out := publicKey{id: text("kid")}
	switch text("kty") {
	case "RSA":
		n, e := new(big.Int).SetBytes(number("n")), new(big.Int).SetBytes(number("e"))
		if n.BitLen() < minRSABits || n.BitLen() > maxRSABits || e.BitLen() > 31 || e.Int64() < 3 || e.Bit(0) == 0 {
			return publicKey{}, false
		}
		out.key = &rsa.PublicKey{N: n, E: int(e.Int64())}
		out.algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	case "EC":
		curve, algorithm := curveOf(text("crv"))
		if curve == nil {
			return publicKey{}, false
		}
		size := (curve.Params().BitSize + 7) / 8
		x, y := number("x"), number("y")
		if len(x) != size || len(y) != size {
			return publicKey{}, false // RFC 7518 section 6.2.1.2
		}
		key, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
		if err != nil {
			return publicKey{}, false
		}
		out.key, out.algorithms = key, []string{algorithm}
	case "OKP":
		x := number("x")
		if text("crv") != "Ed25519" || len(x) != ed25519.PublicKeySize {
			return publicKey{}, false
		}
		out.key, out.algorithms = ed25519.PublicKey(x), []string{"EdDSA"}
	default:
		return publicKey{}, false
	}
	if alg := text("alg"); alg != "" {
		if !slices.Contains(out.algorithms, alg) {
			return publicKey{}, false
		}
		out.algorithms = []string{alg}
	}
	return out, true
}

// curveOf returns a curve and the only algorithm that may use it (RFC 7518 section 3.4).
func curveOf(name string) (elliptic.Curve, string) {
	switch name {
	case "P-256":
		return elliptic.P256(), "ES256"
	case "P-384":
		return elliptic.P384(), "ES384"
	case "P-521":
		return elliptic.P521(), "ES512"
	default:
		return nil, ""
	}
}

// findKey returns the key for a token. A token without the name of a key is
// checked with the only one that its algorithm can mean.
func findKey(keys []publicKey, id, algorithm string) crypto.PublicKey {
	var found crypto.PublicKey
	for i := range keys {
		k := &keys[i]
		if !slices.Contains(k.algorithms, algorithm) || id != "" && k.id != id {
			continue
		}
		if id == "" && found != nil {
			return nil
		}
		found = k.key
		if id != "" {
			break
		}
	}
	return found
}

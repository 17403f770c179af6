// Package secret holds values that do not print. Whoever reads a credential,
// from the environment, a file or a flag's file, wraps it here at once; only
// what signs calls and verifies callers unwraps it.
package secret

import (
	"fmt"
	"io"
	"log/slog"
)

// Value is a secret: every formatting of it, in logs, in JSON and in errors, is
// [Redacted]. The zero Value is no secret.
type Value struct{ value string }

// Redacted is what a [Value] prints as.
const Redacted = "[redacted]"

// New hides a value.
func New(value string) Value { return Value{value} }

// Reveal returns the value, for the signer or verifier that needs it.
func (v Value) Reveal() string { return v.value }

// IsZero reports that there is nothing to keep.
func (v Value) IsZero() bool { return v.value == "" }

// String returns [Redacted].
func (Value) String() string { return Redacted }

// Format writes [Redacted] for every verb, %d and %#v included.
func (Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// MarshalText returns [Redacted].
func (Value) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// LogValue returns [Redacted].
func (Value) LogValue() slog.Value { return slog.StringValue(Redacted) }

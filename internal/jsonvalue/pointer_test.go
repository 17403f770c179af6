package jsonvalue

import "testing"

func TestToken(t *testing.T) {
	for name, want := range map[string]string{"": "/", "a": "/a", "a/b": "/a~1b", "~/": "/~0~1", "~1": "/~01", "é": "/é"} {
		if got := Token(name); got != want {
			t.Errorf("Token(%q) = %q, want %q", name, got, want)
		}
	}
}

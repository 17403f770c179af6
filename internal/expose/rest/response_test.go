package rest

import "testing"

func TestOnlyJSONGoesUnsealed(t *testing.T) {
	for media, want := range map[string]bool{
		"application/json": true, "application/json; charset=utf-8": true, "Application/Problem+JSON": true,
		"text/html": false, "text/html; v=json": false, "text/json": false, "image/svg+xml": false, "application/xhtml+xml": false, "": false,
	} {
		if got := passesAsJSON(media); got != want {
			t.Errorf("%q: %v, want %v", media, got, want)
		}
	}
}

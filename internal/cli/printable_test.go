package cli

import (
	"fmt"
	"strings"
	"testing"
)

func TestPrintableKeepsTheTerminal(t *testing.T) {
	var out strings.Builder
	fmt.Fprintf(printable{&out}, "one %s\ntwo é\n", "\x1b[31m\x1b]0;title\a")
	if got := out.String(); strings.ContainsAny(got, "\x1b\a") || !strings.HasPrefix(got, "one ") || !strings.HasSuffix(got, "\ntwo é\n") {
		t.Errorf("got %q", got)
	}
}

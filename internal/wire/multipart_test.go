package wire

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// received reads a body as a server does.
func received(t *testing.T, body []byte, boundary string) []Part {
	t.Helper()
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	var out []Part
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%v in %q", err, body)
		}
		data, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, Part{Name: p.FormName(), Filename: p.FileName(), ContentType: p.Header.Get("Content-Type"), Data: data})
	}
}

func TestMultipart(t *testing.T) {
	parts := []Part{
		{Name: "title", Data: []byte("A & B\r\n--")},
		{Name: "empty", Data: []byte{}},
		{Name: "file", Filename: "a.csv", ContentType: "text/csv; charset=utf-8", Data: []byte("a,b\n1,2\n")},
		{Name: "file", Filename: "b.bin", ContentType: "application/octet-stream", Data: []byte{0, 255, '\r', '\n'}},
	}
	body, boundary, err := AppendMultipart(nil, parts)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(parts, received(t, body, boundary)); diff != "" {
		t.Errorf("a server reads something else (-sent +read):\n%s", diff)
	}
	again, same, _ := AppendMultipart(nil, parts)
	if same != boundary || !bytes.Equal(again, body) {
		t.Error("the same parts gave other bytes")
	}
}

// What a caller names cannot end the quoted text or the header.
func TestMultipartNames(t *testing.T) {
	body, _, err := AppendMultipart(nil, []Part{{Name: "a\"\r\nX-Evil: 1", Filename: "b\"; x=\"\x00", Data: []byte("c")}})
	if err != nil {
		t.Fatal(err)
	}
	if want := `name="a%22%0D%0AX-Evil: 1"; filename="b%22; x=%22%00"`; !strings.Contains(string(body), want) {
		t.Errorf("no %s in %q", want, body)
	}
}

func TestMultipartRefuses(t *testing.T) {
	for name, parts := range map[string][]Part{
		"a line break in a type": {{Name: "a", ContentType: "text/plain\r\nX-Evil: 1"}},
		"a word as a type":       {{Name: "a", ContentType: "text"}},
		"half a type":            {{Name: "a", ContentType: "text/"}},
		"too many parts":         make([]Part, MaxParts+1),
		"too many bytes":         {{Name: "a", Data: make([]byte, MaxMultipart)}, {Name: "b"}},
	} {
		if _, _, err := AppendMultipart(nil, parts); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// TestBoundaryIsInNoPart plants the boundary that would be chosen first.
func TestBoundaryIsInNoPart(t *testing.T) {
	_, boundary, err := AppendMultipart(nil, []Part{{Name: "a", Data: []byte("x")}})
	if err != nil {
		t.Fatal(err)
	}
	body, chosen, err := AppendMultipart(nil, []Part{{Name: "a", Data: []byte("\r\n--" + boundary + "--\r\n")}})
	if err != nil || chosen == boundary {
		t.Fatalf("%s was chosen again (%v)", chosen, err)
	}
	if got := received(t, body, chosen); len(got) != 1 {
		t.Errorf("%d parts arrived", len(got))
	}
}

// FuzzMultipart sends what callers may say and reads it as a server does: as
// many parts with the same bytes, and nothing else.
func FuzzMultipart(f *testing.F) {
	f.Add("a", "b.txt", "text/plain", []byte("hello"), []byte("--"))
	f.Add("a\"\r\n", "", "", []byte("\r\n--patchbay-"), []byte(""))
	f.Fuzz(func(t *testing.T, name, filename, contentType string, one, two []byte) {
		sent := []Part{{Name: name, Filename: filename, ContentType: contentType, Data: one}, {Name: "second", Data: two}}
		body, boundary, err := AppendMultipart(nil, sent)
		if err != nil {
			return
		}
		got := received(t, body, boundary)
		if len(got) != 2 || !bytes.Equal(got[0].Data, one) || !bytes.Equal(got[1].Data, two) || got[1].Name != "second" {
			t.Fatalf("%q arrived as %q", sent, got)
		}
		if strings.TrimSpace(got[0].ContentType) != strings.TrimSpace(contentType) {
			t.Errorf("the type %q arrived as %q", contentType, got[0].ContentType)
		}
	})
}

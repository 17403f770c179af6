package capabilities

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v4"
)

// sharedFile returns a file of the material beside the repository, and skips
// the test where that is absent.
func sharedFile(t *testing.T, elem ...string) []byte {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = parent
	}
	data, err := os.ReadFile(filepath.Join(append([]string{dir, "..", "shared"}, elem...)...))
	if os.IsNotExist(err) {
		t.Skip("no shared material beside the repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func loadYAML(t testing.TB, data []byte, into any) {
	t.Helper()
	if err := yaml.Load(data, into, yaml.WithKnownFields()); err != nil {
		t.Fatal(err)
	}
}

// The capability is given, not ours: it may be replaced, never edited.
func TestFlexInteractionsIsUntouched(t *testing.T) {
	const want = "f7467ee2e5de39864f6520869fdc53bf55539a51c2d2bd33fe85881842f0aa48"
	doc := FlexInteractions()
	sum := sha256.Sum256(doc.Data)
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("SHA-256 of %s is %s, want %s", doc.Name, got, want)
	}
	if !bytes.Equal(doc.Data, sharedFile(t, "corpus", "twilio", doc.Name)) {
		t.Errorf("%s differs from the published file", doc.Name)
	}
}

func TestDocumentsBelongToTheCaller(t *testing.T) {
	all := func() []Document { return append(Contracts(), FlexInteractions(), Profiles()) }
	for _, doc := range all() {
		onDisk, err := os.ReadFile(doc.Name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(doc.Data, onDisk) {
			t.Errorf("%s: embedded bytes are not the file's", doc.Name)
		}
		clear(doc.Data)
	}
	for _, doc := range all() {
		if doc.Data[0] == 0 {
			t.Errorf("%s: a caller changed what the next one gets", doc.Name)
		}
	}
}

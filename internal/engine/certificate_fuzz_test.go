package engine

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"patchbay/internal/deploy"
)

// FuzzCertificates: files of certificates, keys and authorities are good or an
// error, which holds nothing of the key.
func FuzzCertificates(f *testing.F) {
	const begin, end = "-----BEGIN CERTIFICATE-----\n", "\n-----END CERTIFICATE-----\n"
	f.Add([]byte(begin+"AAAA"+end), []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), []byte(begin+"AAAA"+end))
	f.Add([]byte(""), []byte("-----BEGIN"), []byte("\x30\x82"))
	f.Fuzz(func(t *testing.T, certificate, key, authority []byte) {
		dir := t.TempDir()
		files := deploy.ServerTLS{Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), ClientCA: filepath.Join(dir, "ca.pem")}
		for name, data := range map[string][]byte{files.Certificate: certificate, files.Key: key, files.ClientCA: authority} {
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c, err := loadCertificates(files, slog.New(slog.DiscardHandler))
		if err == nil && (len(c.current().Certificates) == 0 || c.current().ClientCAs == nil) {
			t.Error("nothing was loaded")
		}
	})
}

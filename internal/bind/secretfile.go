package bind

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"patchbay/internal/secret"
)

// maxSecret bounds a file that holds one secret, in bytes.
const maxSecret = 64 << 10

// SecretFile returns what a file holds, without the line break at its end.
// Exposed reports that others than the owner may read it, where the system can
// tell.
func (e *Environment) SecretFile(path string) (value secret.Value, exposed bool, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return value, false, fmt.Errorf("there is no file %s", path)
	case err != nil:
		return value, false, err
	case info.IsDir():
		return value, false, fmt.Errorf("%s is a folder", path)
	case info.Size() > maxSecret:
		return value, false, fmt.Errorf("%s is larger than %d bytes", path, maxSecret)
	}
	data, err := readBounded(path)
	if err != nil {
		return value, false, err
	}
	if len(data) > maxSecret {
		return value, false, fmt.Errorf("%s is larger than %d bytes", path, maxSecret)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	exposed = runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0
	return secret.New(text), exposed, nil
}

// Variable returns a variable by the operator's own name for it, without regard
// to renames.
func (e *Environment) Variable(name string) (secret.Value, bool) {
	plain := Environment{process: e.process, files: e.files}
	value, _, ok := plain.Lookup(name)
	return value, ok
}

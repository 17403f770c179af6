package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// auditFile is a file to which lines are added. It can be opened anew, so that
// it can be moved away while it is written to. It is safe for concurrent use.
type auditFile struct {
	path string
	mu   sync.Mutex
	file *os.File
}

func openAudit(path string) (*auditFile, error) {
	a := &auditFile{path: path}
	return a, a.Reopen()
}

// Reopen opens the file by its name. Where that fails, lines go on to the file
// that was open.
func (a *auditFile) Reopen() error {
	// Who called what is nobody else's affair on this machine.
	file, err := os.OpenFile(a.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := keepPrivate(file); err != nil {
		_ = file.Close()
		return fmt.Errorf("others may read it, and that cannot be changed: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file != nil {
		_ = a.file.Close()
	}
	a.file = file
	return nil
}

// keepPrivate takes the rights of others from a file that was there before, such
// as one that was made when the last one was moved away. Pipes, terminals and what
// somebody else has opened (/dev/stdout) are as their owner made them.
func keepPrivate(file *os.File) error {
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	for _, opened := range []string{"/dev/", "/proc/"} {
		if strings.HasPrefix(filepath.Clean(file.Name()), opened) {
			return nil
		}
	}
	return file.Chmod(0o600)
}

// Write adds a line.
func (a *auditFile) Write(line []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.file.Write(line)
}

// Close ends it; lines that follow are lost, and counted.
func (a *auditFile) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.file.Close()
}

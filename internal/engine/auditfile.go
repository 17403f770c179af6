package engine

import (
	"os"
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
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file != nil {
		_ = a.file.Close()
	}
	a.file = file
	return nil
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

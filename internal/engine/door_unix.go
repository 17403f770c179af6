//go:build unix

package engine

import (
	"errors"
	"net"
	"os"
	"syscall"
)

// acceptWaiting accepts a connection that waits, and fails where none does. The
// listener's own Accept would wait, and between its giving up and the closing of
// the socket somebody could come.
func acceptWaiting(l net.Listener) (net.Conn, error) {
	socket, ok := l.(syscall.Conn)
	if !ok {
		return nil, net.ErrClosed
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil, err
	}
	for {
		accepted, failed := -1, error(nil)
		// The socket of a listener does not block.
		if err := raw.Control(func(fd uintptr) { accepted, _, failed = syscall.Accept(int(fd)) }); err != nil {
			return nil, err
		}
		if errors.Is(failed, syscall.EINTR) || errors.Is(failed, syscall.ECONNABORTED) {
			continue
		}
		if failed != nil {
			return nil, failed
		}
		syscall.CloseOnExec(accepted)
		file := os.NewFile(uintptr(accepted), "")
		conn, err := net.FileConn(file)
		_ = file.Close()
		if err == nil {
			return conn, nil
		}
	}
}

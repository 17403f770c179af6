//go:build !unix

package engine

import "net"

// acceptWaiting finds nobody: how to look is not known here.
func acceptWaiting(net.Listener) (net.Conn, error) { return nil, net.ErrClosed }

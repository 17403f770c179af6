package engine

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"patchbay/internal/deploy"
)

// listenAddress is where an adapter listens: the operator's host:port for it,
// else for all of its type, else the file's port on the file's address or on
// loopback. alone reports a port that is to be chosen for this adapter only.
func listenAddress(of kind, namespace, address string, number int, opts *deploy.Options) (host, port string, alone bool, err error) {
	given, alone := opts.Adapter(namespace).Listen, true
	if given == "" {
		given, alone = opts.ListenREST, false
		if of == kindMCP {
			given = opts.ListenMCP
		}
	}
	if given != "" {
		host, port, err = net.SplitHostPort(given)
		return host, port, alone && port == "0", err
	}
	if address == "" {
		address = "localhost"
	}
	return address, strconv.Itoa(number), number == 0, nil
}

// loopbackNames are the addresses that "localhost" means.
var loopbackNames = []string{"127.0.0.1", "::1"}

// portTries is how often a port is chosen anew because it is taken on one of two
// addresses.
const portTries = 16

// listen opens a host and port. localhost is both loopback addresses; a machine
// without IPv6 has one. The first listener tells the port that was chosen for 0.
func listen(host, port string) ([]net.Listener, error) {
	return listenWith(net.Listen, host, port)
}

func listenWith(open func(network, address string) (net.Listener, error), host, port string) ([]net.Listener, error) {
	if host != "localhost" {
		l, err := open("tcp", net.JoinHostPort(host, port))
		if err != nil {
			return nil, err
		}
		return []net.Listener{l}, nil
	}
	for try := 1; ; try++ {
		first, err := open("tcp", net.JoinHostPort(loopbackNames[0], port))
		if err != nil {
			return nil, err
		}
		_, chosen, _ := net.SplitHostPort(first.Addr().String())
		second, err := open("tcp", net.JoinHostPort(loopbackNames[1], chosen))
		switch {
		case err == nil:
			return []net.Listener{first, second}, nil
		case !errors.Is(err, syscall.EADDRINUSE):
			return []net.Listener{first}, nil
		}
		// Another process would answer half of the callers.
		_ = first.Close()
		if port != "0" || try == portTries {
			return nil, err
		}
	}
}

// listenFault explains why an adapter cannot listen, and what to do.
func listenFault(namespace, host, port string, err error) error {
	where := net.JoinHostPort(host, port)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s cannot listen on %s: the port is in use; stop the other process or choose another with --listen %s=HOST:PORT", namespace, where, namespace)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s cannot listen on %s: not permitted; choose a port above 1023 with --listen %s=HOST:PORT", namespace, where, namespace)
	default:
		return fmt.Errorf("%s cannot listen on %s: %w; choose another address with --listen %s=HOST:PORT", namespace, where, err, namespace)
	}
}

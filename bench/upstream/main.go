// Upstream runs the stub upstream of the comparison, on the address that its
// argument names.
package main

import (
	"fmt"
	"net"
	"os"

	"patchbay-bench/internal/stub"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: upstream HOST:PORT")
		os.Exit(2)
	}
	listener, err := net.Listen("tcp", os.Args[1])
	if err == nil {
		err = new(stub.Server).Serve(listener)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

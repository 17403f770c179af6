//go:build linux

package main

import (
	"context"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// build makes the binaries of all rows in a directory, as CI builds the product:
// static, without paths. PATCHBAY names a product that is built already. What
// cannot be had (Caddy without a module proxy, nginx) is left out with a word.
func build(ctx context.Context, dir string, chosen []group, stderr io.Writer) (map[string]string, error) {
	binaries := map[string]string{}
	// goBuild builds commands, which are called as their directories are.
	goBuild := func(module string, packages ...string) error {
		cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-trimpath", "-o", dir + "/"}, packages...)...)
		cmd.Dir = module
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", cmd, err, out)
		}
		for _, name := range packages {
			binaries[path.Base(name)] = filepath.Join(dir, path.Base(name))
		}
		return nil
	}
	if given := os.Getenv("PATCHBAY"); given != "" {
		path, err := filepath.Abs(given)
		if err != nil {
			return nil, err
		}
		binaries[product] = path
	} else if err := goBuild("..", "./cmd/patchbay"); err != nil {
		return nil, err
	}
	if err := goBuild(".", "./upstream", "./peers/handwritten", "./peers/reverseproxy", "./peers/mcphandwritten", "./peers/mcpgo", "./peers/mcpsdk"); err != nil {
		return nil, err
	}
	if path, err := exec.LookPath("nginx"); err == nil {
		binaries["nginx"] = path
	} else if path := "/usr/sbin/nginx"; executable(path) {
		binaries["nginx"] = path // not in the path of everybody
	}
	if given := os.Getenv("CADDY"); given != "" && given != "none" {
		binaries["caddy"] = given
	} else if given == "" && compared(chosen, "caddy") {
		fmt.Fprintln(stderr, "bench: building Caddy, which takes some minutes the first time")
		if err := goBuild("peers/caddy", "patchbay-bench/caddy"); err != nil {
			fmt.Fprintln(stderr, "bench: no row for Caddy:", err)
		}
	}
	return binaries, ctx.Err()
}

// compared says whether a peer is in one of the rows.
func compared(chosen []group, peer string) bool {
	return slices.ContainsFunc(chosen, func(g group) bool {
		return slices.ContainsFunc(g.rows, func(r row) bool { return r.peer == peer })
	})
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// strippedSize returns the size of a binary without what debuggers read of it,
// as "strip" or the linker's -s would leave it, so that distributions' binaries
// and fresh ones compare.
func strippedSize(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	file, err := elf.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	size := info.Size()
	for _, section := range file.Sections {
		if strings.HasPrefix(section.Name, ".debug_") || strings.HasPrefix(section.Name, ".zdebug_") ||
			section.Name == ".symtab" || section.Name == ".strtab" {
			size -= int64(section.FileSize)
		}
	}
	return size, nil
}

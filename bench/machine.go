//go:build linux

package main

import (
	"bytes"
	"debug/buildinfo"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// machine is where figures are from.
type machine struct {
	Cores    int    `json:"cores"`
	CPU      string `json:"cpu"`
	Kernel   string `json:"kernel"`
	Go       string `json:"go"`
	Server   int    `json:"server_core"`
	LoadCore int    `json:"load_core"`
	// Versions are those of the peers that others have written.
	Versions map[string]string `json:"versions"`
}

func describe(b *bench) machine {
	m := machine{
		Cores: runtime.NumCPU(), CPU: "unknown", Kernel: "unknown", Go: runtime.Version(),
		Server: b.core, LoadCore: b.loadCore, Versions: map[string]string{},
	}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range bytes.Lines(text) {
			if name, value, _ := strings.Cut(string(line), ":"); strings.TrimSpace(name) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		// What follows the number is the name that whoever built it gave it.
		m.Kernel, _, _ = strings.Cut(strings.TrimSpace(string(text)), "-")
	}
	for name, module := range map[string]string{
		"caddy": "github.com/caddyserver/caddy/v2", "mcpgo": "github.com/mark3labs/mcp-go", "mcpsdk": "github.com/modelcontextprotocol/go-sdk",
	} {
		if info, err := buildinfo.ReadFile(b.binaries[name]); err == nil {
			for _, dependency := range info.Deps {
				if dependency.Path == module {
					m.Versions[module] = dependency.Version
				}
			}
		}
	}
	// It prints "nginx version: nginx/1.22.1" on standard error.
	if out, err := exec.Command(b.binaries["nginx"], "-v").CombinedOutput(); err == nil {
		_, version, _ := strings.Cut(strings.TrimSpace(string(out)), "nginx/")
		m.Versions["nginx"] = version
	}
	return m
}

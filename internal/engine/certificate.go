package engine

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"patchbay/internal/deploy"
)

// certificates are what a TLS listener shows and whom it trusts, read from files
// again when these have changed: every handshake looks at the files' dates, which
// takes microseconds where the handshake takes hundreds. It is safe for
// concurrent use.
type certificates struct {
	files deploy.ServerTLS
	log   *slog.Logger

	// config is what the next handshake is held by, as the files were when one last
	// looked. Listening leads each handshake to it.
	config    atomic.Pointer[tls.Config]
	listening *tls.Config

	mu     sync.Mutex
	stamps [3]stamp
}

// stamp tells one state of a file from another.
type stamp struct {
	modified time.Time
	size     int64
	info     os.FileInfo
}

func (s *stamp) equal(other *stamp) bool {
	if s.info == nil || other.info == nil {
		return s.info == nil && other.info == nil // no file is named
	}
	return s.modified.Equal(other.modified) && s.size == other.size && os.SameFile(s.info, other.info)
}

// loadCertificates reads the files, which have to be right at the start.
func loadCertificates(files deploy.ServerTLS, log *slog.Logger) (*certificates, error) {
	c := &certificates{files: files, log: log}
	stamps, err := c.stat()
	if err != nil {
		return nil, err
	}
	c.stamps = stamps
	config, err := c.load()
	if err != nil {
		return nil, err
	}
	c.config.Store(config)
	c.listening = &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetConfigForClient: c.handshake}
	return c, nil
}

// handshake gives each one the configuration of the day, and notes on the
// connection which that was.
func (c *certificates) handshake(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	config := c.current()
	if conn := placedOf(hello.Conn); conn != nil {
		conn.terms.Store(config)
	}
	return config, nil
}

// current returns the configuration that the files give now; where they give none,
// the last good one.
func (c *certificates) current() *tls.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	stamps, err := c.stat()
	if err != nil {
		return c.config.Load() // in the middle of a change; the next handshake looks again
	}
	changed := false
	for i := range stamps {
		changed = changed || !stamps[i].equal(&c.stamps[i])
	}
	if !changed {
		return c.config.Load()
	}
	// Also where they are no good: they are read again only after another change,
	// such as that of the second file of a pair.
	c.stamps = stamps
	config, err := c.load()
	if err != nil {
		c.log.Warn("changed certificates cannot be used; the ones before stay in use", "cause", err)
		return c.config.Load()
	}
	c.log.Info("changed certificates are in use", "certificate", c.files.Certificate)
	c.config.Store(config)
	return config
}

// paths are the files, "" for none.
func (c *certificates) paths() [3]string {
	return [3]string{c.files.Certificate, c.files.Key, c.files.ClientCA}
}

func (c *certificates) stat() ([3]stamp, error) {
	var out [3]stamp
	for i, path := range c.paths() {
		if path == "" {
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return out, err
		}
		out[i] = stamp{info.ModTime(), info.Size(), info}
	}
	return out, nil
}

func (c *certificates) load() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(c.files.Certificate, c.files.Key)
	if err != nil {
		return nil, fmt.Errorf("%s with %s: %w", c.files.Certificate, c.files.Key, err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}}
	if c.files.ClientCA == "" {
		return config, nil
	}
	data, err := os.ReadFile(c.files.ClientCA)
	if err != nil {
		return nil, err
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(data) {
		return nil, errors.New(c.files.ClientCA + " holds no certificate in PEM form")
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	// A ticket would carry a client past a change of the authorities.
	config.SessionTicketsDisabled = true
	return config, nil
}

package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"patchbay/internal/watch"
)

// settle is how long files have to be quiet before they are read again.
const settle = 200 * time.Millisecond

// reloads begins to load the deployment again: when SIGHUP arrives, for a process
// with a deployment file or one that watches, and when a file changes, for one
// that watches. The hang-up of a terminal ends every other process, as ever. Stop
// ends it, after a reload that is under way.
func (c *command) reloads(ctx context.Context, s *session) (stop func(), err error) {
	if s.flags.config == "" && !s.deploy.Options.Watch {
		return func() {}, nil
	}
	var changes <-chan struct{}
	var watcher *watch.Watcher
	if s.deploy.Options.Watch {
		watcher, err = watch.New(watch.Options{Settle: settle, Report: func(err error) { s.log.Warn("files are not watched as they should be", "cause", err) }}, s.inputs()...)
		if err != nil {
			return nil, fmt.Errorf("--watch: %w", err)
		}
		changes = watcher.Changes()
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			trigger := ""
			select {
			case <-ctx.Done():
				return
			case <-hangup:
				trigger = "SIGHUP"
			case <-changes:
				trigger = "a file changed"
			}
			s.engine.Reload(ctx, trigger) // the log says what came of it
			if watcher != nil {
				watcher.Set(s.inputs()...)
			}
		}
	})
	return func() {
		signal.Stop(hangup)
		cancel()
		running.Wait()
		if watcher != nil {
			watcher.Close()
		}
	}, nil
}

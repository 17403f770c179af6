package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"patchbay/internal/watch"
)

// settle is how long files have to be quiet before they are read again.
const settle = 200 * time.Millisecond

// watch keeps the watcher at what is about to be read. It begins before the files
// are that the deployment file names, so that no change of theirs is missed between
// reading and watching.
func (s *session) watch(d *decisions) {
	if s.watcher != nil {
		s.watcher.Set(d.inputs()...)
		return
	}
	if !d.opts.Watch || s.engine != nil {
		return // whether files are watched is decided at the start
	}
	s.watcher, s.unwatched = watch.New(watch.Options{Settle: settle, Report: s.unreported.add}, d.inputs()...)
}

// troubles keeps errors until somebody can be told.
type troubles struct {
	mu   sync.Mutex
	errs []error
	log  *slog.Logger
}

func (t *troubles) add(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.log == nil {
		t.errs = append(t.errs, err)
		return
	}
	t.log.Warn("files are not watched as they should be", "cause", err)
}

// tell sends errors to a log, those that wait first.
func (t *troubles) tell(log *slog.Logger) {
	t.mu.Lock()
	t.log = log
	errs := t.errs
	t.errs = nil
	t.mu.Unlock()
	for _, err := range errs {
		t.add(err)
	}
}

// reloads begins to load the deployment again: when SIGHUP arrives, for a process
// with a deployment file or one that watches, and when a file changes, for one
// that watches. The hang-up of a terminal ends every other process, as ever. Stop
// asks for the end, which a reload that is under way may delay: s.running is done
// then. A hang-up that comes later means nothing: it must not cut off requests that
// are being drained, and so it is heard until the session ends.
func (c *command) reloads(ctx context.Context, s *session) (stop func(), err error) {
	if s.unwatched != nil {
		return nil, fmt.Errorf("--watch: %w", s.unwatched)
	}
	if s.flags.config == "" && s.watcher == nil {
		return func() {}, nil
	}
	var changes <-chan struct{}
	if s.watcher != nil {
		changes = s.watcher.Changes()
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	s.unheard = func() { signal.Stop(hangup) }
	ctx, cancel := context.WithCancel(ctx)
	s.running.Go(func() {
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
		}
	})
	return cancel, nil
}

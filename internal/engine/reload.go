package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime/debug"
	"slices"
	"time"

	"patchbay/internal/control"
	"patchbay/internal/diag"
)

// Source makes the deployment that a reload is to serve: it reads everything
// again, compiles and binds it. With is what binds it to this engine, see [Engine.Binding]. The findings are
// those that the operator should know of; with an error or errors among them,
// there is no deployment.
type Source func(ctx context.Context, with BindOptions) (*Deployment, diag.List, error)

// ReloadResult says what became of a reload. It holds no values of variables.
type ReloadResult struct {
	// Time is when it began, Took how long it was.
	Time time.Time
	Took time.Duration
	// Trigger is what asked for it, in words: a signal, a file, a request.
	Trigger string
	// Applied reports that the new deployment serves. Otherwise the one before
	// does, as if nothing had been asked, and Err says why.
	Applied bool
	Err     error
	// Found are the findings about the new files, errors or not.
	Found diag.List
	// Generation is that of the deployment that serves now.
	Generation int64
	// Opened and Closed name the addresses that were opened, and those that
	// answer no new connections any more.
	Opened, Closed []string
	// Restart names settings that changed and that a reload leaves as they were, if
	// only for listeners that it kept.
	Restart []string
}

// The errors of a reload that are not about its files.
var (
	errNoSource = errors.New("this process was not started in a way that can be repeated")
	errStopping = errors.New("the process is stopping")
	errSandbox  = errors.New("the sandbox is started or stopped by a restart only")
	errFindings = errors.New("the files have errors")
	errStarting = errors.New("nothing is served yet")
	errInternal = errors.New("an internal error")
)

// LastReload returns what became of the last reload, or nil.
func (e *Engine) LastReload() *ReloadResult { return e.last.Load() }

// Reload makes another deployment beside the one that serves, and lets it take
// over: no request fails, waits, or meets both. Where anything is wrong, the one
// that serves goes on. Trigger says what asked for it. Reloads happen one after
// another.
func (e *Engine) Reload(ctx context.Context, trigger string) ReloadResult {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	result := ReloadResult{Time: time.Now(), Trigger: trigger}
	result.Err = e.reload(ctx, &result)
	result.Applied = result.Err == nil
	result.Took = time.Since(result.Time)
	if d := e.current.Load(); d != nil {
		result.Generation = d.generation
	}
	e.last.Store(&result)
	e.observed.metrics.Reloaded(result.Applied, float64(time.Now().UnixMilli())/1000)
	// What rotates files asks for a reload.
	if err := e.ReopenAudit(); err != nil {
		e.log.Error("the audit file cannot be opened anew; lines go to the old one", "cause", err)
	}
	e.tell(ctx, &result)
	return result
}

func (e *Engine) reload(ctx context.Context, result *ReloadResult) error {
	old := e.current.Load()
	switch {
	case e.source == nil:
		return errNoSource
	case old == nil:
		return errStarting
	}
	d, c, err := e.successor(ctx, old, result)
	if err == nil {
		err = e.replace(ctx, old, c, result)
	}
	if err != nil && d != nil {
		d.release()
	}
	return err
}

// successor makes a deployment and all that serving it needs. A panic on the way
// is an error: a file has met a defect, and what is served knows nothing of it.
func (e *Engine) successor(ctx context.Context, old *Deployment, result *ReloadResult) (d *Deployment, c *change, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{v, debug.Stack()}
		}
		if p, ok := errors.AsType[*panicError](err); ok {
			e.panicked(ctx, p)
			err = errInternal
		}
	}()
	d, result.Found, err = e.source(ctx, e.Binding())
	switch {
	case err != nil:
	case result.Found.HasErrors():
		err = errFindings
	case d.Options.Sandbox.Enabled != old.Options.Sandbox.Enabled:
		err = errSandbox
	default:
		c, err = e.change(d)
	}
	return d, c, err
}

// panicked writes a panic to the log.
func (e *Engine) panicked(ctx context.Context, p *panicError) {
	e.log.LogAttrs(ctx, slog.LevelError, "panic", slog.String("cause", e.clean(fmt.Sprint(p.value))), slog.String("stack", e.observed.mask.String(string(p.stack))))
}

// replace lets a deployment take over from another.
func (e *Engine) replace(ctx context.Context, old *Deployment, c *change, result *ReloadResult) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := context.Cause(ctx); err != nil || e.stopping {
		c.drop()
		if e.stopping {
			return errStopping
		}
		return err
	}
	for i, l := range c.listeners {
		if slices.Contains(c.opened, l) {
			result.Opened = append(result.Opened, l.url(c.faces[i].certificates != nil))
		}
	}
	result.Restart = c.restarts(old)
	for _, l := range e.apply(c) {
		result.Closed = append(result.Closed, l.url(l.face.Load().certificates != nil))
	}
	return nil
}

// connectionBounds is the setting that holds for listeners as they are opened.
const connectionBounds = "connections"

// restarts names settings that are those of the process, or of listeners that the
// change keeps.
func (c *change) restarts(old *Deployment) []string {
	before, now := old.Options, c.deployment.Options
	var out []string
	for _, s := range []struct {
		name        string
		before, now any
	}{
		{"control", before.Control, now.Control},
		{"telemetry", before.Telemetry, now.Telemetry},
		{"watch", before.Watch, now.Watch},
		{"sandbox", before.Sandbox, now.Sandbox},
		{connectionBounds, before.Listener, now.Listener},
	} {
		if s.name == connectionBounds && len(c.opened) == len(c.listeners) {
			continue // each has them already
		}
		if !reflect.DeepEqual(s.before, s.now) {
			out = append(out, s.name)
		}
	}
	return out
}

// mostTold bounds the findings that a reload writes to the log.
const mostTold = 20

// tell writes to the log what became of a reload: all errors of one that was
// refused; of one that serves, that there are warnings, which validate shows.
func (e *Engine) tell(ctx context.Context, r *ReloadResult) {
	if !r.Applied {
		errs := slices.DeleteFunc(slices.Clone(r.Found), func(d diag.Diagnostic) bool { return d.Severity != diag.Error })
		told, left := diag.Severest(errs, mostTold)
		for i := range told {
			d := &told[i]
			e.log.LogAttrs(ctx, slog.LevelError, e.clean(d.Message), slog.String("at", e.clean(d.Span.String())), slog.String("code", string(d.Code)), slog.String("hint", e.clean(d.Hint)))
		}
		if len(left) > 0 {
			e.log.LogAttrs(ctx, slog.LevelError, "there are more errors in the files", slog.Int("errors", len(left)))
		}
		e.log.LogAttrs(ctx, slog.LevelError, "not reloaded: what was served before goes on", slog.String("trigger", r.Trigger), slog.String("cause", e.clean(r.Err.Error())), slog.Int64("generation", r.Generation))
		return
	}
	for _, name := range r.Restart {
		text := "a setting changed that takes effect with the next start"
		if name == connectionBounds {
			text = "a setting changed that listeners which were open before take on with the next start"
		}
		e.log.LogAttrs(ctx, slog.LevelWarn, text, slog.String("setting", name))
	}
	e.log.LogAttrs(ctx, slog.LevelInfo, "reloaded", slog.String("trigger", r.Trigger), slog.Int64("generation", r.Generation), slog.Duration("took", r.Took),
		slog.Int("warnings", r.Found.Count(diag.Warning)), slog.Any("opened", r.Opened), slog.Any("closed", r.Closed))
}

// reloadOnRequest is what POST /reload does; nil where a deployment cannot be made
// again.
func (e *Engine) reloadOnRequest() func(context.Context) error {
	if e.source == nil {
		return nil
	}
	return func(ctx context.Context) error {
		r := e.Reload(ctx, "a request")
		if r.Applied {
			return nil
		}
		return errors.New(e.reason(&r))
	}
}

// reason says why a deployment was refused: the error, and the first finding.
func (e *Engine) reason(r *ReloadResult) string {
	text := r.Err.Error()
	if at := slices.IndexFunc(r.Found, func(d diag.Diagnostic) bool { return d.Severity == diag.Error }); at >= 0 {
		first := &r.Found[at]
		text += fmt.Sprintf(": %s: %s", first.Span, first.Message)
		if n := r.Found.Count(diag.Error); n > 1 {
			text += fmt.Sprintf("; and %d more", n-1)
		}
	}
	return e.clean(text)
}

// clean is text of files and errors as others may read it.
func (e *Engine) clean(text string) string { return e.observed.mask.String(diag.Printable(text)) }

// lastReload is what the control listener says about the last reload.
func (e *Engine) lastReload() *control.Reload {
	r := e.last.Load()
	if r == nil {
		return nil
	}
	out := &control.Reload{Time: r.Time.UTC(), Trigger: r.Trigger, OK: r.Applied, Seconds: r.Took.Seconds(), Opened: r.Opened, Closed: r.Closed, Restart: r.Restart}
	if r.Err != nil {
		out.Error = e.clean(r.Err.Error())
	}
	told, left := diag.Severest(slices.DeleteFunc(slices.Clone(r.Found), func(d diag.Diagnostic) bool { return d.Severity == diag.Note }), mostTold)
	out.MoreFindings = len(left)
	slices.SortStableFunc(told, func(a, b diag.Diagnostic) int { return cmp.Compare(b.Severity, a.Severity) })
	for i := range told {
		d := &told[i]
		out.Findings = append(out.Findings, control.Finding{
			At: d.Span.String(), Severity: d.Severity.String(), Code: string(d.Code), Message: e.clean(d.Message), Hint: e.clean(d.Hint),
		})
	}
	return out
}

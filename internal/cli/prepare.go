package cli

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"patchbay/internal/diag"
	"patchbay/internal/engine"
	"patchbay/internal/watch"
)

// session is a deployment on its way to being served.
type session struct {
	command *command
	flags   *flags
	files   []string
	// lenient leaves missing credentials to the calls.
	lenient bool
	engine  *engine.Engine
	deploy  *engine.Deployment
	log     *slog.Logger
	// sandboxURL is the simulator's address, or "".
	sandboxURL string
	// controlURL is the control listener's address, or "".
	controlURL string
	// found are the findings that do not keep the documents from being served.
	found diag.List
	// watcher watches what the last attempt read; nil where nothing is watched.
	watcher *watch.Watcher
	// unwatched is why there is none, unreported what it has to say.
	unwatched  error
	unreported troubles
	// running is what loads the deployment again.
	running sync.WaitGroup
	// unheard gives up listening to SIGHUP; nil where nobody does.
	unheard func()
}

// attempt is what came of loading and binding.
type attempt struct {
	*decisions
	loaded *engine.Loaded
	deploy *engine.Deployment
	found  diag.List
	// unbound reports that the findings keep the documents from being compiled,
	// so that nothing was bound.
	unbound bool
}

// end drains and closes. What had to be cut off is in the log; stopping was
// asked for, and so it succeeds.
func (s *session) end() {
	if s.watcher != nil {
		defer s.watcher.Close()
	}
	if s.unheard != nil {
		defer s.unheard()
	}
	if s.engine == nil {
		return
	}
	drain := s.flags.opts.Drain
	if d := s.engine.Current(); d != nil {
		drain = d.Options.Drain
	}
	if err := s.engine.Shutdown(drain); err != nil {
		s.say(slog.LevelWarn, "stopped", "cause", err)
	}
	// A reload under way does not keep requests from being drained, nor the process
	// from ending where its last line cannot be written.
	within(lastWord, s.running.Wait)
}

// prepare loads, compiles and binds what the operator decided, and starts the
// simulator where it is asked for. With lenient, missing credentials are left
// to the calls. The caller ends the session, also after an error.
func (c *command) prepare(f *flags, files []string, lenient bool) (*session, error) {
	s := &session{command: c, flags: f, files: files, lenient: lenient}
	if err := s.prepare(); err != nil {
		return s, err
	}
	return s, nil
}

func (s *session) prepare() error {
	c := s.command
	if s.flags.set.Lookup("watch") != nil {
		s.flags.reads = s.watch // of the commands that reload
	}
	a, err := s.load()
	if err != nil {
		return err
	}
	if _, err := logLevel(&a.opts.Telemetry); err != nil {
		return err
	}
	if a.unbound {
		return c.refuse(a)
	}
	log, observation, err := c.observe(a.opts)
	if err != nil {
		return err
	}
	s.log = log
	s.unreported.tell(log)
	s.engine = engine.New(engine.Config{Log: log, Version: Version(), Observation: observation, Source: s.again})
	if a.opts.Sandbox.Enabled {
		if s.sandboxURL, err = s.engine.StartSandbox(a.opts, a.env); err != nil {
			return err
		}
	}
	if err := s.bind(a, s.engine.Binding()); err != nil {
		return err
	}
	if a.found.HasErrors() {
		return c.refuseBound(a)
	}
	s.deploy, s.found = a.deploy, a.found
	return nil
}

// load reads the operator's decisions and compiles the documents.
func (s *session) load() (*attempt, error) {
	d, err := s.command.decide(s.flags, s.files, true)
	if err != nil {
		return nil, err
	}
	return compile(d, nil)
}

// compile compiles the documents. What is wrong with the deployment file and with
// the documents is told together.
func compile(d *decisions, progress func(done, total int)) (*attempt, error) {
	a := &attempt{decisions: d, found: d.found}
	if d.incomplete {
		a.unbound = true
		return a, nil
	}
	loaded, found, err := engine.LoadReporting(d.opts, progress)
	switch {
	case err != nil && d.found.HasErrors():
		a.unbound = true
		return a, nil
	case err != nil:
		return nil, err
	}
	a.loaded = loaded
	a.found = append(a.found, found...)
	if d.file != nil {
		a.found = append(a.found, engine.CheckNames(loaded, d.file.Names)...)
	}
	a.found = a.found.Sorted()
	a.unbound = a.found.HasErrors()
	return a, nil
}

// bind gives the documents their values.
func (s *session) bind(a *attempt, with engine.BindOptions) error {
	with.Environment, with.SandboxURL, with.Lenient = a.env, s.sandboxURL, s.lenient
	bound, problems, err := engine.Bind(a.loaded, a.opts, with)
	if err != nil {
		return usageError{err}
	}
	a.deploy, a.found = bound, append(a.found, problems...)
	return nil
}

// again is the engine's source of deployments: it makes one from the same command
// line and the files as they are now.
func (s *session) again(_ context.Context, with engine.BindOptions) (*engine.Deployment, diag.List, error) {
	a, err := s.load()
	if err != nil {
		return nil, nil, err
	}
	if a.unbound {
		return nil, a.found, nil
	}
	if err := s.bind(a, with); err != nil {
		return nil, a.found, err
	}
	return a.deploy, a.found, nil
}

// refuse prints why nothing is served.
func (c *command) refuse(a *attempt) error {
	list := ofBroken(without(a.found, diag.Note))
	if err := c.printDiagnostics(c.Err, list, a.source(a.loaded)); err != nil {
		return err
	}
	fmt.Fprintf(c.Err, "\npatchbay: nothing runs: %s\n", diag.Summary(list))
	return silentError{}
}

// ofBroken are the findings about files that have errors: what could be better in
// a hundred others would bury them.
func ofBroken(list diag.List) diag.List {
	broken := map[string]bool{}
	for _, d := range list {
		if d.Severity == diag.Error {
			broken[d.Span.File] = true
		}
	}
	var out diag.List
	for _, d := range list {
		if broken[d.Span.File] {
			out = append(out, d)
		}
	}
	return out
}

// mention prints, in one line, what validate would say at length. What there is
// to say about the embedded file is not the operator's affair.
func (c *command) mention(s *session) {
	loaded := s.deploy.Loaded
	first := loaded.Plans[0].Document.File
	found := slices.DeleteFunc(slices.Clone(s.found), func(d diag.Diagnostic) bool {
		return d.Severity != diag.Warning || loaded.Embedded && d.Span.File == first
	})
	if len(found) == 0 {
		return
	}
	name, command := first, "patchbay validate"
	switch {
	case loaded.Embedded:
		name = "the deployment file"
	case len(loaded.Plans) > 1:
		name = "the files"
	}
	if s.flags.config != "" {
		command += " --config " + diag.Printable(s.flags.config)
	}
	for _, file := range s.files {
		command += " " + diag.Printable(file)
	}
	fmt.Fprintf(c.Err, "patchbay: %s about %s; %s shows them\n", diag.Summary(found), diag.Printable(name), command)
}

package engine

import "sync"

// State is what outlives a deployment, because callers and upstreams do not know
// of reloads: how an upstream has been doing, how fast a caller has been, which
// answers are kept for a repeated request. It belongs to the engine; a
// deployment holds what it got of it. See [Carry].
type State struct {
	mu   sync.Mutex
	kept map[stateKey]stateEntry
}

// stateKey names a thing: what it is, and the namespace that it belongs to, ""
// for the whole process.
type stateKey struct{ kind, namespace string }

// stateEntry is a thing with the settings that it was made for.
type stateEntry struct{ settings, value any }

// Stage is the state of a deployment that may or may not come to serve: what it
// takes over and what is new. Until it serves, the engine's state stays as it is.
type Stage struct {
	state *State
	mu    sync.Mutex
	used  map[stateKey]stateEntry
}

// Stage begins the state of another deployment.
func (s *State) Stage() *Stage { return &Stage{state: s, used: map[stateKey]stateEntry{}} }

// commit makes a stage's state the engine's. What the stage did not use belongs to
// nobody any more.
func (s *State) commit(stage *Stage) {
	if stage == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stage.mu.Lock()
	defer stage.mu.Unlock()
	s.kept = stage.used
}

// Carry returns the thing of a kind that belongs to a namespace. One that the
// deployment before had under equal settings is taken over as it is; else make
// returns another one. Things are shared by two deployments while requests are
// under way on both, so that they have to be safe for concurrent use. Without a
// stage, everything is new.
func Carry[K comparable, V any](stage *Stage, kind, namespace string, settings K, create func() V) V {
	if stage == nil {
		return create()
	}
	key := stateKey{kind, namespace}
	stage.mu.Lock()
	defer stage.mu.Unlock()
	have, ok := stage.used[key]
	if !ok {
		stage.state.mu.Lock()
		have, ok = stage.state.kept[key]
		stage.state.mu.Unlock()
	}
	value, fits := have.value.(V)
	if !ok || !fits || have.settings != any(settings) {
		value = create()
	}
	stage.used[key] = stateEntry{settings, value}
	return value
}

package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"

	"patchbay/internal/auth"
	"patchbay/internal/deploy"
	"patchbay/internal/fault"
	"patchbay/internal/guard"
	"patchbay/internal/problem"
	"patchbay/internal/telemetry"
	"patchbay/internal/upstream"
)

// change is a deployment that is ready to take over: its listeners are open and
// its handlers made, and nothing has been swapped yet.
type change struct {
	deployment *Deployment
	// listeners and faces are those of the groups, in their order.
	listeners []*listener
	faces     []*face
	// opened are the listeners that are new.
	opened []*listener
	served []Listening
}

// change makes everything that serving a deployment needs. Listeners of equal
// addresses are kept with their sockets, so that no connection is refused in
// between; the others are opened. After an error or a panic nothing has changed.
func (e *Engine) change(d *Deployment) (*change, error) {
	if err := d.checkSelection(); err != nil {
		return nil, err
	}
	if len(d.groups) == 0 {
		return nil, errors.New("the capability exposes no adapter that listens")
	}
	c := &change{deployment: d}
	ready := false
	defer func() {
		if !ready { // an error, or a panic
			c.drop()
		}
	}()
	if err := e.open(c); err != nil {
		return nil, err
	}
	if err := e.show(c); err != nil {
		return nil, err
	}
	ready = true
	return c, nil
}

// drop gives up a change that is not applied.
func (c *change) drop() {
	for _, l := range c.opened {
		l.close()
	}
}

// open finds or opens the listeners of the deployment's groups.
func (e *Engine) open(c *change) error {
	d := c.deployment
	for i := range d.groups {
		g := &d.groups[i]
		if !upstream.IsLoopback(g.host) && !d.Options.AllowUnauthenticated {
			for _, m := range g.members {
				if !m.guarded {
					return fmt.Errorf("%s would be reachable from outside on %s without credentials, and would spend yours; declare authentication on the adapter, "+
						"or start with --allow-unauthenticated", m.namespace, net.JoinHostPort(g.host, g.port))
				}
			}
		}
	}
	for i := range d.groups {
		g := &d.groups[i]
		key := g.key()
		at := slices.IndexFunc(e.listeners, func(l *listener) bool { return l.key == key })
		if at >= 0 {
			c.listeners = append(c.listeners, e.listeners[at])
			continue
		}
		l, err := e.newListener(g.name(), key, g.host, g.port)
		if err != nil {
			return listenFault(g.members[0].namespace, g.host, g.port, err)
		}
		c.opened = append(c.opened, l)
		c.listeners = append(c.listeners, l)
	}
	return nil
}

// certificates reads those of the groups that speak TLS; nil for others.
func (e *Engine) certificates(g *group) (*certificates, error) {
	if !g.tls.On() {
		return nil, nil
	}
	c, err := loadCertificates(g.tls, e.log)
	if err != nil {
		return nil, fmt.Errorf("%s cannot speak TLS: %w", g.name(), err)
	}
	return c, nil
}

// key is what the group's listener is known by in another deployment: its
// address, or what it is for where the port is chosen by the system.
func (g *group) key() string {
	key := net.JoinHostPort(g.host, g.port)
	if g.port == "0" {
		key += " " + string(g.kind) + " " + g.members[0].namespace
	}
	return key
}

// show makes the faces of the listeners.
func (e *Engine) show(c *change) error {
	d := c.deployment
	c.served = listening(d, c.listeners)
	for i, l := range c.listeners {
		g := &d.groups[i]
		h, err := e.handler(d, g, l, c.served)
		if err != nil {
			return err
		}
		shown, err := e.certificates(g)
		if err != nil {
			return err
		}
		c.faces = append(c.faces, &face{handler: h, deployment: d, certificates: shown, bounds: d.Options.ListenerBounds()})
	}
	return nil
}

// apply lets the deployment take over. Each listener changes at once; requests
// under way go on with the face that they have. Listeners that nobody needs any
// more are drained. The caller holds e.reloading and e.mu.
func (e *Engine) apply(c *change) (gone []*listener) {
	c.deployment.generation = e.generation.Add(1)
	for i, l := range c.listeners {
		l.face.Store(c.faces[i])
	}
	for _, l := range c.opened {
		e.serve(l)
	}
	for _, l := range e.listeners {
		if !slices.Contains(c.listeners, l) {
			gone = append(gone, l)
		}
	}
	e.listeners = c.listeners
	e.state.commit(c.deployment.stage)
	old := e.current.Swap(c.deployment)
	e.keys.resize(c.deployment.Options)
	e.inService(c.served)
	e.prepareKeys(c.deployment)
	for _, l := range gone {
		e.leave(l, old)
	}
	if old != nil {
		old.release()
	}
	return gone
}

// leave drains a listener that nobody needs any more, and keeps the deployment
// that it shows until then. The caller holds e.mu and a lease.
func (e *Engine) leave(l *listener, shows *Deployment) {
	shows.lease.acquire()
	e.leaving = append(e.leaving, l)
	e.serving.Go(func() {
		ctx, cancel := context.WithTimeout(e.base, shows.Options.Drain)
		defer cancel()
		if err := end(ctx, []*listener{l}); err != nil {
			go e.log.Warn("a listener was given up", "cause", err) // the end waits for this goroutine, and not for a reader of the log
		}
		shows.release()
		e.mu.Lock()
		defer e.mu.Unlock()
		e.leaving = slices.DeleteFunc(e.leaving, func(x *listener) bool { return x == l })
	})
}

// guarded puts the browser defence before a handler.
func (e *Engine) guarded(h http.Handler, host string, g *group, opts *deploy.Options) (http.Handler, error) {
	options := guard.Options{
		Loopback: upstream.IsLoopback(host), Hosts: opts.AllowHosts, Origins: append(slices.Clone(opts.AllowOrigins), g.cors.Origins...), MaxAge: g.cors.MaxAge,
		Landing: []string{"/", "/.patchbay"},
		Refuse: func(w http.ResponseWriter, r *http.Request, f *fault.Fault) {
			id := e.ids.Next()
			status := problem.Write(w, f, id)
			e.answered(r, &telemetry.Access{Protocol: "guard", Status: status, RequestID: id, Fault: f})
		},
		Preflight: func(w http.ResponseWriter, r *http.Request, status int) {
			id := e.ids.Next()
			w.Header()["X-Request-Id"] = []string{id}
			e.answered(r, &telemetry.Access{Protocol: "guard", Status: status, RequestID: id})
		},
	}
	if g.takesTokens() {
		options.Public = []string{auth.WellKnown}
	}
	before, err := guard.New(options)
	if err != nil {
		return nil, err
	}
	return before.Wrap(h), nil
}

package engine

import (
	"context"
	"fmt"
	"log/slog"
	"net"

	"patchbay/internal/bind"
	"patchbay/internal/deploy"
	"patchbay/internal/sandbox"
	"patchbay/internal/upstream"
)

// StartSandbox opens the simulator on its address, and returns its URL.
func (e *Engine) StartSandbox(opts *deploy.Options, env *bind.Environment) (string, error) {
	log := e.log
	if opts.Sandbox.Enabled && !log.Enabled(context.Background(), slog.LevelDebug) {
		log = nil // the adapter's own line says it all
	}
	box, err := NewSandbox(opts.Sandbox, env, log)
	if err != nil {
		return "", err
	}
	address := opts.Sandbox.Listen
	if address == "" {
		address = "localhost:0"
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("%s %s: not HOST:PORT", sandboxFlag(&opts.Sandbox, "listen"), address)
	}
	if !upstream.IsLoopback(host) && !opts.AllowUnauthenticated {
		return "", fmt.Errorf("the sandbox would be reachable from outside on %s; start with --allow-unauthenticated if that is meant", address)
	}
	l, err := e.newListener("sandbox", "", host, port)
	if err != nil {
		return "", fmt.Errorf("the sandbox cannot listen on %s: %w; choose another address with %s HOST:PORT", address, err, sandboxFlag(&opts.Sandbox, "listen"))
	}
	handler, err := e.guarded(box, host, &group{}, opts)
	if err != nil {
		l.close()
		return "", err
	}
	bounds := opts.ListenerBounds()
	// Its client is this process, which is not to be bounded twice.
	bounds.MaxConnections = deploy.DefaultConnections
	l.face.Store(&face{handler: handler, bounds: bounds})
	e.sandbox = l
	e.serve(l)
	return l.url(false), nil
}

// sandboxFlag is how the command line calls an option of the simulator, which
// runs beside a deployment or alone.
func sandboxFlag(opts *deploy.Sandbox, name string) string {
	if opts.Enabled {
		return "--sandbox-" + name
	}
	return "--" + name
}

// NewSandbox returns the simulator as the options want it. It accepts exactly
// the credentials of TWILIO_USER and TWILIO_PASS where both are set.
func NewSandbox(opts deploy.Sandbox, env *bind.Environment, log *slog.Logger) (*sandbox.Sandbox, error) {
	faults, err := sandbox.ParseFaults(opts.Faults)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sandboxFlag(&opts, "faults"), err)
	}
	out := sandbox.Options{SetupDelay: opts.SetupDelay, SeedChannels: opts.SeedChannels, Faults: faults, Log: log}
	user, _, hasUser := env.Lookup("TWILIO_USER")
	password, _, hasPassword := env.Lookup("TWILIO_PASS")
	if hasUser && hasPassword {
		out.Username, out.Password = user.Reveal(), password.Reveal()
	}
	return sandbox.New(out), nil
}

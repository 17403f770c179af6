package sandbox

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// FaultKind names a way to fail; the package comment lists what each does.
type FaultKind string

// The kinds of faults.
const (
	FaultThrottled    FaultKind = "429"
	FaultUnavailable  FaultKind = "503"
	FaultHTML502      FaultKind = "html502"
	FaultSlow         FaultKind = "slow"
	FaultCut          FaultKind = "cut"
	FaultFailedSetup  FaultKind = "failed-setup"
	FaultExtraFields  FaultKind = "extra-fields"
	FaultNotFoundOnce FaultKind = "not-found-once"
)

// FaultKinds returns every kind, in the order of the package comment.
func FaultKinds() []FaultKind {
	return []FaultKind{
		FaultThrottled, FaultUnavailable, FaultHTML502, FaultSlow,
		FaultCut, FaultFailedSetup, FaultExtraFields, FaultNotFoundOnce,
	}
}

const (
	// MaxFaultDelay bounds the delay of a slow fault and a Retry-After.
	MaxFaultDelay = 60 * time.Second

	// Always as Fault.Times arms a fault until it is replaced or reset.
	Always = -1

	maxFaultTimes    = 100_000
	maxArmedFaults   = 64
	maxFaultText     = 4096
	defaultSlow      = 2 * time.Second
	defaultRetryWait = time.Second
)

// Fault is one entry of the script of failures.
type Fault struct {
	Kind FaultKind
	// Delay is how long slow waits (zero: 2 s), or what 429 and 503 put into
	// Retry-After in whole seconds, rounded up (zero: 1 s for 429, no header
	// for 503). It is bounded by MaxFaultDelay.
	Delay time.Duration
	// Times is how many requests the fault takes; zero means one, Always no end.
	Times int
}

// String is the form that ParseFaults reads.
func (f Fault) String() string {
	s := string(f.Kind)
	if f.Delay != 0 {
		s += "=" + f.Delay.String()
	}
	switch {
	case f.Times < 0:
		s += ":*"
	case f.Times > 1:
		s += ":" + strconv.Itoa(f.Times)
	}
	return s
}

// ParseFaults reads a comma-separated list of KIND[=DELAY][:TIMES], such as
// "429:2,slow=300ms:*". DELAY is a Go duration and fits slow, 429 and 503 only;
// TIMES is 1 by default, "*" means until further notice. An empty text is an
// empty list.
func ParseFaults(text string) ([]Fault, error) {
	if len(text) > maxFaultText {
		return nil, fmt.Errorf("fault list of %d bytes, at most %d are read", len(text), maxFaultText)
	}
	var faults []Fault
	for entry := range strings.SplitSeq(text, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		f, err := parseFault(entry)
		if err != nil {
			return nil, fmt.Errorf("fault %q: %w", entry, err)
		}
		faults = append(faults, f)
	}
	if len(faults) > maxArmedFaults {
		return nil, fmt.Errorf("%d faults, at most %d can be armed", len(faults), maxArmedFaults)
	}
	return faults, nil
}

func parseFault(entry string) (Fault, error) {
	rest, times, hasTimes := strings.Cut(entry, ":")
	name, delay, hasDelay := strings.Cut(rest, "=")
	f := Fault{Kind: FaultKind(name), Times: 1}
	if hasTimes && times == "*" {
		f.Times = Always
	} else if hasTimes {
		n, err := strconv.Atoi(times)
		if err != nil {
			return Fault{}, fmt.Errorf("times %q is neither a number nor *", times)
		}
		// Zero is the default of the type, not something to ask for.
		if n < 1 {
			return Fault{}, errors.New("times must be at least 1")
		}
		f.Times = n
	}
	if hasDelay {
		d, err := time.ParseDuration(delay)
		if err != nil {
			return Fault{}, fmt.Errorf("delay %q is not a duration such as 300ms", delay)
		}
		f.Delay = d
	}
	return f, f.check()
}

// check reports what makes a fault unusable.
func (f Fault) check() error {
	switch f.Kind {
	case FaultThrottled, FaultUnavailable, FaultSlow:
	case FaultHTML502, FaultCut, FaultFailedSetup, FaultExtraFields, FaultNotFoundOnce:
		if f.Delay != 0 {
			return fmt.Errorf("%s takes no delay", f.Kind)
		}
	default:
		return fmt.Errorf("unknown kind %q; known are %s", f.Kind, kindList())
	}
	if f.Delay < 0 || f.Delay > MaxFaultDelay {
		return fmt.Errorf("delay %s is not between 0s and %s", f.Delay, MaxFaultDelay)
	}
	if f.Times < Always || f.Times > maxFaultTimes {
		return fmt.Errorf("times %d is not between 1 and %d, or %d for always", f.Times, maxFaultTimes, Always)
	}
	return nil
}

func kindList() string {
	var names []string
	for _, k := range FaultKinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// faultSet is what one request suffers.
type faultSet []Fault

func (s faultSet) get(kind FaultKind) (Fault, bool) {
	for _, f := range s {
		if f.Kind == kind {
			return f, true
		}
	}
	return Fault{}, false
}

func (s faultSet) has(kind FaultKind) bool {
	_, ok := s.get(kind)
	return ok
}

// names lists the kinds for logs and the request ring.
func (s faultSet) names() string {
	var names []string
	for _, f := range s {
		names = append(names, string(f.Kind))
	}
	return strings.Join(names, ",")
}

// script is the list of armed faults. It is not safe for concurrent use.
type script struct{ faults []Fault }

// replace arms the usable ones of faults instead of what was armed.
func (s *script) replace(faults []Fault) {
	s.faults = nil
	s.extend(faults)
}

func (s *script) extend(faults []Fault) {
	for _, f := range faults {
		if f.Times == 0 {
			f.Times = 1
		}
		if f.check() == nil && len(s.faults) < maxArmedFaults {
			s.faults = append(s.faults, f)
		}
	}
}

func (s *script) armed() []Fault { return append([]Fault{}, s.faults...) }

// take uses up one turn of the first fault that applies.
func (s *script) take(applies func(FaultKind) bool) faultSet {
	for i, f := range s.faults {
		if !applies(f.Kind) {
			continue
		}
		switch {
		case f.Times > 1:
			s.faults[i].Times--
		case f.Times == 1:
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
		}
		f.Times = 1
		return faultSet{f}
	}
	return nil
}

package engine

import (
	"context"
	"sync"
	"time"

	"patchbay/internal/deploy"
	"patchbay/internal/idempotency"
)

// keys is the store of idempotency keys of a process. The deployments that follow
// each other share it.
type keys struct {
	// ends is done when requests may not go on without their callers.
	ends  context.Context
	mu    sync.Mutex
	store *idempotency.Memory
}

// keyWait is how much longer than a call a repetition waits for the first request
// with its key: that one may have waited for its own turn.
const keyWait = 5 * time.Second

// keeper returns what a deployment keeps answers with, nil where it takes no keys.
func (k *keys) keeper(opts *deploy.Options) *idempotency.Keeper {
	o := opts.Idempotency
	if o.Off {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.store == nil {
		k.store = idempotency.NewMemory(bounds(&o))
	}
	return idempotency.NewKeeper(k.ends, k.store, opts.Limits.Total+keyWait)
}

// resize gives the store the bounds of the deployment that takes over.
func (k *keys) resize(opts *deploy.Options) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.store != nil && !opts.Idempotency.Off {
		k.store.Resize(bounds(&opts.Idempotency))
	}
}

func bounds(o *deploy.Idempotency) idempotency.Bounds {
	return idempotency.Bounds{Entries: o.MaxEntries, Bytes: o.MaxBytes, Age: time.Duration(o.Seconds) * time.Second}
}

package engine

import (
	"sync"
	"time"

	"patchbay/internal/deploy"
	"patchbay/internal/idempotency"
)

// keys is the store of idempotency keys of a process. The deployments that follow
// each other share it.
type keys struct {
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
	bounds := idempotency.Bounds{Entries: o.MaxEntries, Bytes: o.MaxBytes, Age: time.Duration(o.Seconds) * time.Second}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.store == nil {
		k.store = idempotency.NewMemory(bounds)
	} else {
		k.store.Resize(bounds)
	}
	return idempotency.NewKeeper(k.store, opts.Limits.Total+keyWait)
}

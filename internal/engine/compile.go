package engine

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"patchbay/capabilities"
	"patchbay/internal/diag"
	"patchbay/internal/expose/page"
	"patchbay/internal/lint"
	"patchbay/internal/plan"
	"patchbay/internal/spec"
)

// compiled is what became of one document.
type compiled struct {
	// plan is nil where there was nothing to compile.
	plan  *plan.Plan
	found diag.List
	// visible is the document without the secrets that it spells out.
	visible []byte
}

// compileAll compiles documents beside one another and returns the results in
// their order. Compiling is pure, so that each result is what it would be alone.
// Progress, where it is not nil, is called after each document, by one
// goroutine at a time.
func compileAll(documents []capabilities.Document, opts plan.Options, progress func(done, total int)) ([]compiled, error) {
	out := make([]compiled, len(documents))
	var reporting sync.Mutex
	done := 0
	report := func() {
		reporting.Lock()
		defer reporting.Unlock()
		done++
		progress(done, len(documents))
	}
	err := sideBySide(len(documents), func(i int) {
		out[i] = compileOne(&documents[i], opts)
		if progress != nil {
			report()
		}
	})
	return out, err
}

// sideBySide does something for each number below n, as many at a time as there
// are processors. A panic, which nobody could recover from there, is the error: a
// *[panicError].
func sideBySide(n int, do func(i int)) error {
	var next atomic.Int64
	var failed atomic.Pointer[panicError]
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		workers.Go(func() {
			defer func() {
				if v := recover(); v != nil {
					failed.CompareAndSwap(nil, &panicError{v, debug.Stack()})
				}
			}()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	workers.Wait()
	if p := failed.Load(); p != nil {
		return p
	}
	return nil
}

// panicError is a panic and where it happened.
type panicError struct {
	value any
	stack []byte
}

// Error says all of it, for whoever has no log.
func (p *panicError) Error() string {
	return fmt.Sprintf("an internal error: %v\n%s", p.value, p.stack)
}

// compileOne takes one document through all stages: reading, rules of good form,
// compiling. A file of which nothing could be read ends after the first.
func compileOne(d *capabilities.Document, opts plan.Options) compiled {
	doc, found := spec.Load(d.Name, d.Data)
	if found.HasErrors() && len(doc.Exposes)+len(doc.Consumes) == 0 {
		return compiled{found: found}
	}
	found = append(found, lint.Check(doc)...)
	p, more := plan.Compile(doc, opts)
	return compiled{p, append(found, more...), page.Visible(doc, d.Data)}
}

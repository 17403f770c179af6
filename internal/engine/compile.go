package engine

import (
	"runtime"
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
func compileAll(documents []capabilities.Document, opts plan.Options, progress func(done, total int)) []compiled {
	out := make([]compiled, len(documents))
	var next atomic.Int64
	var workers sync.WaitGroup
	var reporting sync.Mutex
	done := 0
	for range min(runtime.GOMAXPROCS(0), len(documents)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(documents); i = int(next.Add(1)) - 1 {
				out[i] = compileOne(&documents[i], opts)
				if progress != nil {
					reporting.Lock()
					done++
					progress(done, len(documents))
					reporting.Unlock()
				}
			}
		})
	}
	workers.Wait()
	return out
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

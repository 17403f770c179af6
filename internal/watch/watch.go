// Package watch tells when files change. It stands beside the engine, which it
// gives a reason to reload, and knows nothing of what the files are.
//
// It watches folders, not files: editors and orchestrators replace a file rather
// than write it, and a Kubernetes volume swaps a link to a folder of links. Every
// event in a folder is only a reason to look; a change is reported where the
// content of what is watched is another one than when a change was reported last.
package watch

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Watcher watches a set of files and folders until it is closed. It is safe for
// concurrent use.
type Watcher struct {
	notify  *fsnotify.Watcher
	changes chan struct{}
	settle  time.Duration
	done    chan struct{}
	ended   sync.WaitGroup

	mu sync.Mutex
	// seen is what each path held when it was looked at last, counts which entries
	// of it count where it is a folder.
	seen   map[string]digest
	counts map[string][]func(entry string) bool
	dirs   map[string]bool
	errs   func(error)
}

// Options are what a watcher needs.
type Options struct {
	// Settle is how long the folders have to be quiet before the files are looked
	// at, so that a change of several files is one; but no longer than ten times that.
	Settle time.Duration
	// Report gets errors of the operating system; nil drops them.
	Report func(error)
}

// Path is a file or folder to watch. It need not be there yet.
type Path struct {
	Name string
	// Counts tells by its name whether a file in the folder counts: what nobody
	// reads, such as a log, must not be a change. It is not asked about a Name that
	// is a file. Nil is none of them. Folders in a folder never count. Of a Name that
	// is given twice, each rule holds.
	Counts func(entry string) bool
}

// New starts a watcher.
func New(opts Options, paths ...Path) (*Watcher, error) {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("files cannot be watched: %w", err)
	}
	w := &Watcher{notify: notify, changes: make(chan struct{}, 1), settle: opts.Settle, done: make(chan struct{}), seen: map[string]digest{}, dirs: map[string]bool{}, errs: opts.Report}
	if w.errs == nil {
		w.errs = func(error) {}
	}
	w.Set(paths...)
	w.ended.Go(w.run)
	return w, nil
}

// Changes delivers one value after files have changed, however many did. While
// it is not received, further changes add nothing.
func (w *Watcher) Changes() <-chan struct{} { return w.changes }

// Set replaces the files and folders. What new ones hold now counts as known, so
// that a file has to be set before it is read: then a change is never missed, and
// at worst told twice.
func (w *Watcher) Set(paths ...Path) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.seen
	w.seen = make(map[string]digest, len(paths))
	w.counts = map[string][]func(string) bool{}
	for _, p := range paths {
		w.seen[p.Name] = before[p.Name]
		if p.Counts != nil {
			w.counts[p.Name] = append(w.counts[p.Name], p.Counts)
		}
	}
	w.arm()
	for p := range w.seen {
		if _, known := before[p]; !known {
			w.seen[p] = w.fingerprint(p)
		}
	}
}

// Close ends the watcher.
func (w *Watcher) Close() {
	close(w.done)
	_ = w.notify.Close()
	w.ended.Wait()
}

func (w *Watcher) run() {
	const never = time.Duration(1<<63 - 1)
	timer := time.NewTimer(never)
	defer timer.Stop()
	var first time.Time // of the events that wait
	for {
		select {
		case <-w.done:
			return
		case _, ok := <-w.notify.Events:
			if !ok {
				return
			}
			now := time.Now()
			if first.IsZero() {
				first = now
			}
			timer.Reset(max(0, min(w.settle, first.Add(10*w.settle).Sub(now))))
		case err, ok := <-w.notify.Errors:
			if !ok {
				return
			}
			w.errs(err)
			if errors.Is(err, fsnotify.ErrEventOverflow) {
				timer.Reset(w.settle) // something happened that nobody can tell
			}
		case <-timer.C:
			first = time.Time{}
			timer.Reset(never)
			if w.look() {
				select {
				case w.changes <- struct{}{}:
				default:
				}
			}
		}
	}
}

// look reports whether a file is not what it was.
func (w *Watcher) look() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.arm() // links may lead elsewhere now
	changed := false
	for p, before := range w.seen {
		now := w.fingerprint(p)
		changed = changed || now != before
		w.seen[p] = now
	}
	return changed
}

// arm watches the folders that matter for the paths, and no others.
func (w *Watcher) arm() {
	want := map[string]bool{}
	for p := range w.seen {
		folders(p, want)
	}
	for dir := range w.dirs {
		if !want[dir] {
			_ = w.notify.Remove(dir) // it may be gone
			delete(w.dirs, dir)
		}
	}
	for dir := range want {
		// Adding again is harmless, and needed where a folder was replaced.
		if err := w.notify.Add(dir); err == nil {
			w.dirs[dir] = true
		} else if !errors.Is(err, fs.ErrNotExist) && !w.dirs[dir] {
			w.errs(err)
		}
	}
}

// maxLinks bounds a chain of links.
const maxLinks = 16

// folders adds the folders in which a change can change what a path leads to:
// that of the path, those of each link on the way, and the path itself where it
// is a folder. Of a folder that is missing it is the nearest one above.
func folders(path string, into map[string]bool) {
	for range maxLinks {
		path = absolute(path)
		into[existing(filepath.Dir(path))] = true
		// A folder on the way that is a link is replaced in the folder that it is in.
		for dir := filepath.Dir(path); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			info, err := os.Lstat(dir)
			if err != nil || info.Mode()&fs.ModeSymlink == 0 {
				continue
			}
			into[filepath.Dir(dir)] = true
			if to, err := os.Readlink(dir); err == nil {
				into[existing(filepath.Dir(join(filepath.Dir(dir), to)))] = true
			}
		}
		info, err := os.Lstat(path)
		switch {
		case err != nil:
			return
		case info.IsDir():
			into[path] = true
			return
		case info.Mode()&fs.ModeSymlink == 0:
			return
		}
		to, err := os.Readlink(path)
		if err != nil {
			return
		}
		path = join(filepath.Dir(path), to)
	}
}

// join is where a link in a folder leads.
func join(dir, to string) string {
	if filepath.IsAbs(to) {
		return to
	}
	return filepath.Join(dir, to)
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// existing returns the folder, or the nearest one above that is there.
func existing(dir string) string {
	for {
		if info, err := os.Stat(dir); err == nil && info.IsDir() || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// digest is what a file or folder holds, in short.
type digest [sha256.Size]byte

// fingerprint looks at what a path holds, as far as it counts. The caller holds w.mu.
func (w *Watcher) fingerprint(path string) (sum digest) {
	h := sha256.New()
	entries, err := os.ReadDir(path)
	if err != nil {
		content(h, path)
	}
	for _, e := range entries {
		if !slices.ContainsFunc(w.counts[path], func(counts func(string) bool) bool { return counts(e.Name()) }) {
			continue
		}
		file := filepath.Join(path, e.Name())
		if info, err := os.Stat(file); err == nil && info.IsDir() {
			continue
		}
		fmt.Fprintf(h, "%q\n", e.Name())
		content(h, file)
	}
	h.Sum(sum[:0])
	return sum
}

// maxFile bounds what is read of a file; of a larger one, size and time count.
const maxFile = 64 << 20

// content adds a file's content, or that there is none.
func content(h hash.Hash, path string) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		fmt.Fprintf(h, "%t %v\n", err == nil, err == nil && info.IsDir())
		return
	}
	if info.Size() > maxFile {
		fmt.Fprintf(h, "%d %s\n", info.Size(), info.ModTime())
		return
	}
	f, err := os.Open(path)
	if err != nil {
		fmt.Fprintln(h, "closed")
		return
	}
	defer f.Close()
	inner := sha256.New()
	_, err = io.Copy(inner, io.LimitReader(f, maxFile))
	fmt.Fprintf(h, "%x %t\n", inner.Sum(nil), err == nil)
}

package watch

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds waiting for what does not come. Nothing is measured with it.
const patience = 30 * time.Second

// quick is short enough for a test and long enough to see that events gather.
const quick = 20 * time.Millisecond

// named are paths of which, where they are folders, each .yaml file counts.
func named(names ...string) []Path {
	var out []Path
	for _, name := range names {
		out = append(out, Path{Name: name, Counts: func(entry string) bool { return filepath.Ext(entry) == ".yaml" }})
	}
	return out
}

func start(t *testing.T, names ...string) *Watcher {
	t.Helper()
	w, err := New(Options{Settle: quick, Report: func(err error) { t.Error(err) }}, named(names...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func (w *Watcher) await(t *testing.T, what string) {
	t.Helper()
	select {
	case <-w.Changes():
	case <-time.After(patience):
		t.Fatalf("no change was seen: %s", what)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// replace writes a file at once, so that nobody sees half of it.
func replace(t *testing.T, path, text string) {
	t.Helper()
	write(t, path+".new", text)
	rename(t, path+".new", path)
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func TestFileIsWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.yaml")
	write(t, file, "1")
	w := start(t, file)
	write(t, file, "2")
	w.await(t, "written in place")
	write(t, file+".new", "3")
	rename(t, file+".new", file)
	w.await(t, "replaced, as editors do")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	w.await(t, "removed")
	write(t, file, "4")
	w.await(t, "back again")
}

// A mounted ConfigMap is a folder of links into ..data, which is a link to a
// folder with a date; an update swaps ..data.
func TestConfigMap(t *testing.T) {
	dir := t.TempDir()
	version := func(name, text string) {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name, "patchbay.yaml"), text)
	}
	version("..1", "1")
	link(t, "..1", filepath.Join(dir, "..data"))
	link(t, filepath.Join("..data", "patchbay.yaml"), filepath.Join(dir, "patchbay.yaml"))
	for _, watched := range []string{filepath.Join(dir, "patchbay.yaml"), dir} {
		w := start(t, watched)
		for _, n := range []string{"2", "3"} {
			version("..v"+n+filepath.Base(watched), n)
			link(t, "..v"+n+filepath.Base(watched), filepath.Join(dir, "..tmp"))
			rename(t, filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data"))
			w.await(t, "swapped: "+watched+" "+n)
		}
	}
}

// A link from elsewhere is followed, and so is a new one.
func TestLinkElsewhere(t *testing.T) {
	here, there := t.TempDir(), t.TempDir()
	write(t, filepath.Join(there, "a"), "1")
	write(t, filepath.Join(there, "b"), "2")
	file := filepath.Join(here, "file")
	link(t, filepath.Join(there, "a"), file)
	w := start(t, file)
	write(t, filepath.Join(there, "a"), "3")
	w.await(t, "what the link leads to")
	link(t, filepath.Join(there, "b"), file+".new")
	rename(t, file+".new", file)
	w.await(t, "the link itself")
	write(t, filepath.Join(there, "b"), "4")
	w.await(t, "what the new link leads to")
}

func TestFolderAppears(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	w := start(t, filepath.Join(dir, "deep", "a.yaml"))
	if err := os.MkdirAll(filepath.Join(dir, "deep"), 0o700); err != nil {
		t.Fatal(err)
	}
	// The folders are not watched before the watcher has seen the first of them;
	// whichever comes first, the file is found.
	write(t, filepath.Join(dir, "deep", "a.yaml"), "1")
	w.await(t, "a file in a folder that was not there")
}

// What changes nothing is no change: times, neighbours, and the same text again.
func TestNothingChanged(t *testing.T) {
	dir := t.TempDir()
	file, marker := filepath.Join(dir, "a"), filepath.Join(dir, "marker")
	write(t, file, "1")
	write(t, marker, "1")
	quiet, loud := start(t, file), start(t, file, marker)
	write(t, file, "1")
	write(t, filepath.Join(dir, "neighbour"), "1")
	if err := os.Chtimes(file, time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	write(t, marker, "2")
	loud.await(t, "the marker")
	// By the time that the marker is seen, the first watcher may still wait for its
	// folder to be quiet: it has to look for itself.
	if quiet.look() {
		t.Error("a change was seen where there is none")
	}
	select {
	case <-quiet.Changes():
		t.Error("a change was reported where there is none")
	default:
	}
}

// What changes while files are read, after a change was told and before they are
// set again, is told again.
func TestSetKeepsWhatIsPending(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a")
	write(t, file, "1")
	w := start(t, file)
	write(t, file, "2")
	w.await(t, "the first change")
	write(t, file, "3")
	w.Set(named(file)...)
	w.await(t, "the second change")
}

// Paths can be others later; only those count then.
func TestSet(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	write(t, a, "1")
	write(t, b, "1")
	w := start(t, a)
	w.Set(named(b)...)
	write(t, a, "2")
	if w.look() {
		t.Error("a file that is not watched any more counts")
	}
	write(t, b, "2")
	w.await(t, "the other file")
}

// silent fails where a change is seen or was reported.
func (w *Watcher) silent(t *testing.T, what string) {
	t.Helper()
	if w.look() {
		t.Errorf("a change was seen where there is none: %s", what)
	}
	select {
	case <-w.Changes():
		t.Errorf("a change was reported where there is none: %s", what)
	default:
	}
}

// Of a folder only that counts which is read of it: not the log that each reload
// writes to, nor what editors leave. A file that is named counts whatever it is
// called.
func TestFolderCounts(t *testing.T) {
	dir := t.TempDir()
	capability, secret := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "token")
	write(t, capability, "1")
	write(t, secret, "1")
	w := start(t, dir, secret)
	for _, name := range []string{"patchbay.log", "audit.jsonl", ".a.yaml.swp", "a.yaml~", "4913"} {
		write(t, filepath.Join(dir, name), "1")
		w.silent(t, name)
		write(t, filepath.Join(dir, name), "12")
		w.silent(t, name+", once more")
	}
	if err := os.Mkdir(filepath.Join(dir, "folder.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.silent(t, "a folder in it")
	replace(t, secret, "2")
	w.await(t, "the file that is named")
	replace(t, capability, "2")
	w.await(t, "a file of the folder")
	replace(t, filepath.Join(dir, "b.yaml"), "1")
	w.await(t, "another one")
	if err := os.Remove(capability); err != nil {
		t.Fatal(err)
	}
	w.await(t, "one that is gone")
	w.silent(t, "after all")
}

// A folder that is given twice, for different files, is watched for both; one that
// is given without a rule for none.
func TestFolderOfTwoKinds(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	ends := func(ending string) func(string) bool {
		return func(entry string) bool { return filepath.Ext(entry) == ending }
	}
	w, err := New(Options{Settle: quick}, Path{Name: dir, Counts: ends(".yaml")}, Path{Name: dir, Counts: ends(".json")}, Path{Name: dir}, Path{Name: other})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	write(t, filepath.Join(dir, "log"), "1")
	write(t, filepath.Join(other, "a.yaml"), "1")
	w.silent(t, "neither kind")
	write(t, filepath.Join(dir, "a.yaml"), "1")
	w.await(t, "the first kind")
	write(t, filepath.Join(dir, "a.json"), "1")
	w.await(t, "the second kind")
}

// What is as it was when a change was reported last is no change, however it came
// about.
func TestSameAsReported(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.yaml")
	write(t, file, "1")
	w := start(t, dir)
	replace(t, file, "2")
	w.await(t, "changed")
	if err := os.Chtimes(file, time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	replace(t, file, "2")
	w.silent(t, "replaced by the same")
	w.Set(named(dir)...)
	w.silent(t, "set again")
}

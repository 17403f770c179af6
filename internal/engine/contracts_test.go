package engine_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"patchbay/internal/deploy"
	"patchbay/internal/engine"
)

// shared returns a folder of the material beside the repository, or skips.
func shared(t testing.TB, parts ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{"..", "..", "..", "shared"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not here", filepath.Join(parts...))
	}
	return path
}

// catalogue are the options for all of Twilio's files with all contracts.
func catalogue(t testing.TB) *deploy.Options {
	t.Helper()
	opts := deploy.Defaults()
	opts.Files = []string{shared(t, "corpus", "twilio")}
	opts.Contracts = []string{shared(t, "contracts", "twilio-oai"), shared(t, "contracts", "api-evangelist")}
	return &opts
}

func loadCatalogue(t testing.TB, opts *deploy.Options) *engine.Loaded {
	t.Helper()
	loaded, found, err := engine.Load(opts)
	if err != nil || found.HasErrors() || len(loaded.Plans) != 117 {
		t.Fatalf("the catalogue does not load: %v %v", err, found)
	}
	return loaded
}

// decodeCatalogue decodes the same files into plain values, as a program would
// that wants no more than to have read them.
func decodeCatalogue(t testing.TB, opts *deploy.Options) {
	t.Helper()
	for _, dir := range slices.Concat(opts.Files, opts.Contracts) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			decode := func(data []byte, v *any) error { return yaml.Unmarshal(data, v) }
			switch filepath.Ext(e.Name()) {
			case ".json":
				decode = func(data []byte, v *any) error { return json.Unmarshal(data, v) }
			case ".yaml", ".yml":
			default:
				continue
			}
			data, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			var v any
			if err := decode(data, &v); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func BenchmarkLoadCatalogue(b *testing.B) {
	opts := catalogue(b)
	b.Run("load", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			loadCatalogue(b, opts)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			decodeCatalogue(b, opts)
		}
	})
}

// Loading and compiling the catalogue costs little more than decoding its
// files: at most one and a half times as much, on one processor, so that
// reading in parallel does not flatter it. Rounds are interleaved and the median
// counts, because other programs run too.
func TestLoadCatalogueCosts(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("this measures time")
	}
	opts := catalogue(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const rounds = 5
	var ratios []float64
	for range rounds {
		runtime.GC()
		start := time.Now()
		decodeCatalogue(t, opts)
		plain := time.Since(start)
		runtime.GC()
		start = time.Now()
		loadCatalogue(t, opts)
		ours := time.Since(start)
		t.Logf("decoding %v, loading and compiling %v", plain.Round(time.Millisecond), ours.Round(time.Millisecond))
		ratios = append(ratios, float64(ours)/float64(plain))
	}
	slices.Sort(ratios)
	if got := ratios[rounds/2]; got > 1.5 {
		t.Errorf("loading and compiling costs %.2f times plain decoding, of %.2f", got, ratios)
	} else {
		t.Logf("%.2f times plain decoding, of %.2f", got, ratios)
	}
}

// BenchmarkCatalogueMemory tells what a loaded catalogue keeps, for each of its
// 921 operations, without contracts and with all of them.
func BenchmarkCatalogueMemory(b *testing.B) {
	for _, c := range []struct {
		name      string
		contracts bool
	}{{"alone", false}, {"contracts", true}} {
		b.Run(c.name, func(b *testing.B) {
			opts := catalogue(b)
			if !c.contracts {
				opts.Contracts = nil
			}
			var kept int
			for b.Loop() {
				before := heap()
				loaded := loadCatalogue(b, opts)
				kept = int(heap()) - int(before)
				runtime.KeepAlive(loaded)
			}
			b.ReportMetric(float64(kept)/921, "B/operation")
		})
	}
}

// heap is the size of what is reachable, in bytes.
func heap() uint64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

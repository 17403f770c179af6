package deployfile

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"patchbay/internal/deploy"
	"patchbay/internal/diag"
	"patchbay/internal/secret"
)

var update = flag.Bool("update", false, "rewrite what testdata expects")

// planted is a secret that may be printed nowhere.
const planted = "hunter2-0123456789abcdef"

// safe are secrets as the tests have them: every file and variable but those that
// are called missing or empty.
type safe struct{}

func (safe) SecretFile(path string) (secret.Value, bool, error) {
	switch filepath.Base(path) {
	case "missing":
		return secret.Value{}, false, errors.New("there is no file " + path)
	case "empty":
		return secret.Value{}, false, nil
	default:
		return secret.New(planted), filepath.Base(path) == "open", nil
	}
}

func (safe) Variable(name string) (secret.Value, bool) {
	return secret.New(planted), name != "MISSING"
}

// Each file of testdata is a deployment file, and expected: the findings as they
// are printed, and what the options have besides the defaults.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			source := archive.Files[0].Data
			file, found := Parse("conf/patchbay.yaml", source, safe{})
			got := &txtar.Archive{Comment: archive.Comment, Files: []txtar.File{
				archive.Files[0], {Name: "findings", Data: []byte(printed(t, file, found))}, {Name: "options", Data: []byte(options_(file))},
			}}
			if *update {
				if err := os.WriteFile(name, txtar.Format(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(txtar.Format(archive)), string(txtar.Format(got))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// printed is what a reader of the findings gets to see.
func printed(t testing.TB, file *File, found diag.List) string {
	t.Helper()
	var b strings.Builder
	if err := diag.PrintText(&b, found, func(string) []byte { return file.Source }, diag.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// options_ lists what a file decides, and what it names.
func options_(file *File) string {
	var b strings.Builder
	differences(&b, "", reflect.ValueOf(deploy.Defaults()), reflect.ValueOf(file.Options))
	for _, n := range file.Names {
		fmt.Fprintf(&b, "name %s (role %d) at %d:%d\n", n.Name, n.Role, n.Span.Line, n.Span.Col)
	}
	for _, p := range file.Paths {
		fmt.Fprintf(&b, "path %s (input %t) at %d:%d\n", p.Path, p.Input, p.Span.Line, p.Span.Col)
	}
	for _, p := range file.SecretFiles {
		fmt.Fprintf(&b, "secret file %s\n", p)
	}
	return b.String()
}

func differences(b *strings.Builder, at string, before, after reflect.Value) {
	if before.IsValid() && reflect.DeepEqual(before.Interface(), after.Interface()) {
		return
	}
	zero := func(t reflect.Type) reflect.Value { return reflect.Zero(t) }
	switch after.Kind() {
	case reflect.Struct:
		if after.Type() == reflect.TypeFor[secret.Value]() {
			fmt.Fprintf(b, "%s = %v\n", at, after.Interface())
			return
		}
		for i := range after.NumField() {
			from := zero(after.Field(i).Type())
			if before.IsValid() {
				from = before.Field(i)
			}
			differences(b, strings.TrimPrefix(at+"."+after.Type().Field(i).Name, "."), from, after.Field(i))
		}
	case reflect.Pointer:
		differences(b, at, zero(after.Type().Elem()), after.Elem())
	case reflect.Map:
		keys := after.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			differences(b, fmt.Sprintf("%s[%q]", at, k.String()), zero(after.Type().Elem()), after.MapIndex(k))
		}
	case reflect.Slice:
		for i := range after.Len() {
			differences(b, fmt.Sprintf("%s[%d]", at, i), reflect.Value{}, after.Index(i))
		}
	default:
		if d, ok := after.Interface().(time.Duration); ok {
			fmt.Fprintf(b, "%s = %s\n", at, d)
			return
		}
		fmt.Fprintf(b, "%s = %v\n", at, after.Interface())
	}
}

// TestComplete: what an operator can decide, the deployment file can say, so that
// a new option cannot be forgotten here.
func TestComplete(t *testing.T) {
	said := map[string]bool{}
	for _, name := range []string{"complete", "all"} {
		archive, err := txtar.ParseFile(filepath.Join("testdata", name+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		file, _ := Parse("conf/patchbay.yaml", archive.Files[0].Data, safe{})
		var b strings.Builder
		differences(&b, "", reflect.ValueOf(deploy.Defaults()), reflect.ValueOf(file.Options))
		index := regexp.MustCompile(`\[[^]]*\]`)
		for line := range strings.Lines(b.String()) {
			name, _, _ := strings.Cut(line, " = ")
			said[index.ReplaceAllString(name, "")] = true
		}
	}
	elsewhere := map[string]string{
		"Sandbox.Enabled": "it excludes addresses of upstreams",
		"TLS.ClientCA":    "the same as that of an adapter",
		// What a namespace can say stands in the tables of the flags.
		"UpstreamSettings.BaseURL": "", "UpstreamSettings.Checks": "", "UpstreamSettings.BodyType": "",
		"AdapterSettings.Listen": "", "AdapterSettings.Mount": "",
		"Control.Auth": "the same as that of an adapter", "AdapterSettings.Rate.Burst": "the same as that of an upstream",
		"Limits.Retry.Attempts": "the default is the file's", "Limits.MaxQueue": "",
	}
	var walk func(at string, of reflect.Type)
	walk = func(at string, of reflect.Type) {
		if _, ok := elsewhere[at]; ok {
			return
		}
		switch of.Kind() {
		case reflect.Struct:
			if of == reflect.TypeFor[secret.Value]() {
				break
			}
			for i := range of.NumField() {
				walk(strings.TrimPrefix(at+"."+of.Field(i).Name, "."), of.Field(i).Type)
			}
			return
		case reflect.Pointer, reflect.Map, reflect.Slice:
			walk(at, of.Elem())
			return
		}
		if !said[at] {
			t.Errorf("no key of the deployment file fills %s", at)
		}
	}
	walk("", reflect.TypeFor[deploy.Options]())
}

func TestTooLarge(t *testing.T) {
	_, found := Parse("f", []byte(strings.Repeat("#", maxSize+1)), nil)
	if len(found) != 1 || found[0].Code != CodeLimit {
		t.Errorf("%v", found)
	}
	_, found = Parse("f", []byte("drain: \"\xff\""), nil)
	if len(found) != 1 || found[0].Code != CodeSyntax {
		t.Errorf("%v", found)
	}
}

// Aliases cannot make a small file a large one.
func TestAliases(t *testing.T) {
	var b strings.Builder
	b.WriteString("x-0: &a0 {x-a: 1, x-b: 2, x-c: 3, x-d: 4}\n")
	for i := 1; i < 30; i++ {
		fmt.Fprintf(&b, "x-%d: &a%d {<<: [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]}\n", i, i, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1)
	}
	b.WriteString("idempotency: {<<: *a29}\nunknown: *a29\n")
	_, found := Parse("f", []byte(b.String()), nil)
	if !found.HasErrors() {
		t.Error("nothing was refused")
	}
	if len(found) > maxFindings {
		t.Errorf("%d findings", len(found))
	}
	_, found = Parse("f", []byte("upstreams: &u\n  a: *u\n"), nil)
	if !found.HasErrors() {
		t.Error("a mapping that holds itself was taken")
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data)
	}
	f.Add([]byte("a: &a {b: *a}\nc: !!binary aGk=\n? [x]\n: y\n<<: [1]\n"))
	f.Fuzz(func(t *testing.T, source []byte) {
		file, found := Parse("f", source, safe{})
		if len(found) > maxFindings {
			t.Errorf("%d findings", len(found))
		}
		if strings.Contains(printed(t, file, found), planted) && !strings.Contains(string(source), planted) {
			t.Error("a secret is printed")
		}
		if !found.HasErrors() {
			if err := file.Options.Check(); err != nil {
				t.Errorf("what the file may say, the options refuse: %v", err)
			}
		}
	})
}

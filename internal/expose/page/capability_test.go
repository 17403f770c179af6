package page

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"patchbay/capabilities"
	"patchbay/internal/contract"
	"patchbay/internal/diag"
	"patchbay/internal/openapi"
	"patchbay/internal/plan"
	"patchbay/internal/profile"
	"patchbay/internal/spec"
)

var update = flag.Bool("update", false, "rewrite golden files")

// compile compiles a capability against contracts. Errors end the test; what
// else is found about the document is not this package's affair.
func compile(t testing.TB, name string, source []byte, contracts *contract.Set) *plan.Plan {
	t.Helper()
	profiles, err := profile.Load(capabilities.Profiles().Data)
	if err != nil {
		t.Fatal(err)
	}
	doc, found := spec.Load(name, source)
	p, more := plan.Compile(doc, plan.Options{Contracts: contracts, Profiles: profiles})
	for _, d := range append(found, more...) {
		if d.Severity == diag.Error {
			t.Fatal(d)
		}
	}
	if len(p.REST) == 0 {
		t.Fatalf("%s has no REST adapter", name)
	}
	return p
}

func parseContract(t testing.TB, name string, data []byte) *openapi.Document {
	t.Helper()
	d, err := openapi.Parse(name, data)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// embedded is the capability that the binary carries, with its contract.
func embedded(t testing.TB) (*plan.Plan, []byte) {
	t.Helper()
	var contracts []*openapi.Document
	for _, d := range capabilities.Contracts() {
		contracts = append(contracts, parseContract(t, d.Name, d.Data))
	}
	file := capabilities.FlexInteractions()
	return compile(t, file.Name, file.Data, contract.NewSet(contracts...)), file.Data
}

// shared returns a folder of the material beside the repository, and skips the
// test where there is none.
func shared(t *testing.T, folder string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(dir, "..", "shared", folder)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no %s beside the repository", folder)
	}
	return dir
}

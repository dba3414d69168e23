package reconcile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// modulePath is what every import path of this module begins with.
const modulePath = "github.com/exoaudit/exoaudit"

// listed is the part of one `go list -json` answer that the import law reads.
type listed struct {
	ImportPath   string
	Name         string
	Standard     bool
	Imports      []string
	TestImports  []string
	XTestImports []string
	Deps         []string
}

// row is one line of the import table: what the non-test files of one package
// may import besides the standard library.
type row struct {
	// ours lists packages of this module, relative to its root; an element
	// that ends in "/*" means everything below.
	ours []string
	// modules lists import paths of other modules; an element that ends in
	// "/..." means the path and everything below.
	modules []string
	// pure refuses the parts of the standard library that reach the outside.
	pure bool
	// free lifts the bound on other modules; it is for packages below cmd.
	free bool
}

// importTable is design section 2 with the table of style section (c): what is
// not written here may not be imported. A package without a row is refused,
// so that a new one is placed in the table before it is used.
func importTable() map[string]row {
	wiring := []string{
		"reconcile", "reconcile/report", "reconcile/doctor", "reconcile/store", "reconcile/store/*", "reconcile/journal", "reconcile/evidence",
		"policy", "exchange", "exchange/auth",
	}
	return map[string]row{
		"cmd/exoaudit": {ours: []string{"cmd/internal/cli"}, free: true},
		"cmd/internal/cli": {
			ours: append(slices.Clone(wiring), "cmd/internal/daemon", "cmd/internal/notify", "exchange/simulator", "policy/strict"),
			free: true,
		},
		"cmd/internal/chaos":  {}, // tests only
		"cmd/internal/daemon": {ours: append(slices.Clone(wiring), "cmd/internal/notify"), free: true},
		"cmd/internal/notify": {ours: []string{"reconcile", "reconcile/report"}, free: true},

		"policy":        {ours: []string{"policy/audit", "policy/strict"}, pure: true},
		"policy/audit":  {pure: true},
		"policy/strict": {modules: []string{"gopkg.in/yaml.v3"}, pure: true},

		"exchange": {modules: []string{
			"golang.org/x/oauth2", "golang.org/x/time/rate", "golang.org/x/sync/...",
			"github.com/cenkalti/backoff/v5", "github.com/go-json-experiment/json/jsontext",
		}},
		"exchange/auth": {modules: []string{
			"github.com/AzureAD/microsoft-authentication-library-for-go/...",
			"golang.org/x/oauth2", "golang.org/x/sync/...", "software.sslmate.com/src/go-pkcs12",
		}},
		"exchange/simulator":        {},
		"exchange/simulator/oracle": {ours: []string{"exchange/simulator"}},

		"reconcile": {
			ours:    []string{"policy", "policy/audit", "exchange", "reconcile/journal", "reconcile/store"},
			modules: []string{"golang.org/x/sync/..."},
		},
		"reconcile/report":          {ours: []string{"reconcile", "policy", "reconcile/journal"}},
		"reconcile/evidence":        {ours: []string{"reconcile", "reconcile/report", "reconcile/journal", "policy"}},
		"reconcile/doctor":          {ours: []string{"reconcile", "reconcile/report", "policy", "exchange"}},
		"reconcile/journal":         {ours: []string{"policy/audit"}},
		"reconcile/store":           {ours: []string{"reconcile/journal"}},
		"reconcile/store/sqlite":    {ours: []string{"reconcile/store"}, modules: []string{"modernc.org/sqlite/..."}},
		"reconcile/store/postgres":  {ours: []string{"reconcile/store"}, modules: []string{"github.com/jackc/pgx/v5/..."}},
		"reconcile/store/storetest": {ours: []string{"reconcile/store"}},
	}
}

// home names the only packages that may import a module; it holds below cmd
// as well, where a row leaves other modules free.
type home struct {
	module   string
	packages []string
	tests    bool // the tests of other packages may not import it either
}

// homes lists the modules that live in one place (design section 2, style
// section (c)). An empty list of packages means tests only.
func homes() []home {
	return []home{
		{module: "gopkg.in/yaml.v3", packages: []string{"policy/strict"}, tests: true},
		{module: "go.yaml.in/yaml", packages: []string{"policy/strict"}, tests: true},
		{module: "github.com/AzureAD/microsoft-authentication-library-for-go", packages: []string{"exchange/auth"}},
		{module: "modernc.org/sqlite", packages: []string{"reconcile/store/sqlite"}},
		{module: "github.com/jackc/pgx", packages: []string{"reconcile/store/postgres", "cmd/internal/fleet"}},
		{module: "github.com/riverqueue/river", packages: []string{"cmd/internal/fleet"}},
		{module: "github.com/prometheus", packages: []string{"cmd/internal/daemon"}},
		{module: "github.com/spf13", packages: []string{"cmd/internal/cli"}},
		{module: "github.com/chromedp"},
		{module: "golang.org/x/net"},
		{module: "github.com/google/go-cmp"},
		{module: "github.com/rhysd/actionlint"},
		{module: "github.com/rogpeppe/go-internal"},
		{module: "github.com/yuin/goldmark"},
		{module: "go.uber.org/goleak"},
		{module: "pgregory.net/rapid"},
	}
}

// impure is the standard library that a package of the policy may not import:
// it is a function of the bytes it is handed (design section 2, style rule 2).
func impure() []string {
	return []string{"context", "database", "log", "math/rand", "net", "os", "plugin", "syscall"}
}

// within says whether path is root or lies below it.
func within(path, root string) bool {
	return path == root || strings.HasPrefix(path, root+"/")
}

// permits says whether a list of the table, with its "/*" and "/..." endings,
// holds path.
func permits(list []string, path string) bool {
	for _, entry := range list {
		switch {
		case strings.HasSuffix(entry, "/..."):
			if within(path, strings.TrimSuffix(entry, "/...")) {
				return true
			}
		case strings.HasSuffix(entry, "/*"):
			if strings.HasPrefix(path, strings.TrimSuffix(entry, "*")) {
				return true
			}
		case entry == path:
			return true
		}
	}
	return false
}

// relative gives a package of this module as the table names it; false for a
// package of anybody else.
func relative(importPath string) (string, bool) {
	if importPath == modulePath {
		return ".", true
	}
	return strings.CutPrefix(importPath, modulePath+"/")
}

// breaches gives one line per violation of the import law in a package list
// that holds this module and everything it depends on, sorted.
func breaches(packages []listed) []string {
	standard := make(map[string]bool, len(packages))
	for _, p := range packages {
		standard[p.ImportPath] = p.Standard
	}
	table := importTable()
	var found []string
	for _, p := range packages {
		name, ours := relative(p.ImportPath)
		if !ours {
			continue
		}
		found = append(found, badName(name, p.Name)...)
		found = append(found, misplacedInTests(name, p)...)
		found = append(found, reachesExchange(name, p)...)
		law, known := table[name]
		if !known {
			found = append(found, fmt.Sprintf("%s has no row in the import table: place it there first", name))
			continue
		}
		for _, imported := range p.Imports {
			if why := refusal(name, law, imported, standard[imported]); why != "" {
				found = append(found, fmt.Sprintf("%s imports %s: %s", name, imported, why))
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// refusal says why a package may not import a path; empty where it may.
func refusal(name string, law row, imported string, standard bool) string {
	if imported == "C" {
		return "the program is built with CGO_ENABLED=0"
	}
	if dependency, ours := relative(imported); ours {
		if permits(law.ours, dependency) {
			return ""
		}
		return "the table allows of this module only " + list(law.ours)
	}
	if standard {
		if law.pure && slices.ContainsFunc(impure(), func(root string) bool { return within(imported, root) }) {
			return "a pure package reaches nothing outside"
		}
		return ""
	}
	for _, h := range homes() {
		if within(imported, h.module) && !slices.Contains(h.packages, name) {
			return "it is at home only in " + list(h.packages)
		}
	}
	if law.free || permits(law.modules, imported) {
		return ""
	}
	return "the table allows of other modules only " + list(law.modules)
}

// list prints a part of the table for an error.
func list(entries []string) string {
	if len(entries) == 0 {
		return "nothing (tests aside)"
	}
	return strings.Join(entries, ", ")
}

// badName refuses package names that say nothing about what is inside.
func badName(name, clause string) []string {
	vague := []string{"base", "common", "helper", "helpers", "lib", "misc", "shared", "types", "util", "utils"}
	var found []string
	for part := range strings.SplitSeq(name, "/") {
		if slices.Contains(vague, part) {
			found = append(found, fmt.Sprintf("%s: a folder named %s says nothing about what it holds", name, part))
		}
	}
	if slices.Contains(vague, strings.TrimSuffix(clause, "_test")) {
		found = append(found, fmt.Sprintf("%s: a package named %s says nothing about what it holds", name, clause))
	}
	return found
}

// misplacedInTests finds modules that not even a test may import elsewhere.
func misplacedInTests(name string, p listed) []string {
	var found []string
	for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
		for _, h := range homes() {
			if h.tests && within(imported, h.module) && !slices.Contains(h.packages, name) {
				found = append(found, fmt.Sprintf("the tests of %s import %s: it is at home only in %s", name, imported, list(h.packages)))
			}
		}
	}
	return found
}

// reachesExchange finds a path, of any length, from the policy to the client:
// what is wanted must not depend on how it is fetched.
func reachesExchange(name string, p listed) []string {
	if !within(name, "policy") {
		return nil
	}
	var found []string
	for _, dependency := range p.Deps {
		if within(dependency, modulePath+"/exchange") {
			found = append(found, fmt.Sprintf("%s reaches %s: the policy knows nothing of the client", name, dependency))
		}
	}
	return found
}

// strangers gives the entries of the module's root that have no place there.
func strangers(entries []string) []string {
	place := []string{
		"cmd", "policy", "reconcile", "exchange", "examples", "testdata",
		"go.mod", "go.sum", "README.md", "LICENSE",
		// What `go build ./cmd/exoaudit` leaves; git ignores both.
		"exoaudit", "exoaudit.exe",
	}
	var found []string
	for _, name := range entries {
		if !strings.HasPrefix(name, ".") && !slices.Contains(place, name) {
			found = append(found, name)
		}
	}
	return found
}

// TestProcessImportTable holds the whole module to the import table, once per
// operating system that is shipped, as a file for one of them is not seen
// when listing for another.
func TestProcessImportTable(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short is set and this test starts go list")
	}
	for _, system := range []string{"linux", "windows", "darwin"} {
		t.Run(system, func(t *testing.T) {
			packages := goList(t, system)
			if !slices.ContainsFunc(packages, func(p listed) bool { return p.ImportPath == modulePath+"/reconcile" }) {
				t.Fatalf("go list gave %d packages and %s/reconcile is not among them", len(packages), modulePath)
			}
			for _, breach := range breaches(packages) {
				t.Error(breach)
			}
		})
	}
}

// goList lists the module with everything it depends on, as one operating
// system sees it.
func goList(t *testing.T, system string) []listed {
	t.Helper()
	fields := "-json=ImportPath,Name,Standard,Imports,TestImports,XTestImports,Deps"
	command := exec.CommandContext(t.Context(), "go", "list", "-deps", fields, "./...")
	command.Dir = moduleRoot(t)
	command.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		t.Fatalf("go list for %s: %v\n%s", system, err, stderr.String())
	}
	var packages []listed
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatalf("the answer of go list for %s: %v", system, err)
		}
		packages = append(packages, p)
	}
}

// moduleRoot gives the folder of go.mod: tests run in their package's folder.
func moduleRoot(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatalf("%s is not the root of the module: %v", root, err)
	}
	return root
}

// TestTopLevel keeps the root of the module to the folders of the design.
func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(moduleRoot(t))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	for _, name := range strangers(names) {
		t.Errorf("%s: the top level holds only the folders and files of design section 2", name)
	}
}

// at makes the listing of one package of this module, for the tests below.
func at(name string, imports ...string) listed {
	for i, imported := range imports {
		imports[i] = strings.Replace(imported, "~", modulePath, 1)
	}
	base := name[strings.LastIndex(name, "/")+1:]
	return listed{ImportPath: modulePath + "/" + name, Name: base, Imports: imports}
}

// TestBreaches shows that the law catches what it is for, and names it.
func TestBreaches(t *testing.T) {
	const msal = "github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	tests := []struct {
		name string
		in   listed
		want string // a part of the one breach; empty: none
	}{
		{"policy may use its vocabulary", at("policy", "~/policy/audit", "~/policy/strict", "embed"), ""},
		{"policy may not use the client", at("policy", "~/exchange"), "policy imports " + modulePath + "/exchange"},
		{"policy may not serve", at("policy", "net/http"), "policy imports net/http"},
		{"policy may not start programs", at("policy/audit", "os/exec"), "policy/audit imports os/exec"},
		{"policy may not log", at("policy/audit", "log/slog"), "policy/audit imports log/slog"},
		{"policy may not wait", at("policy", "context"), "policy imports context"},
		{"the walker is the home of YAML", at("policy/strict", "gopkg.in/yaml.v3"), ""},
		{"YAML is nowhere else", at("policy", "gopkg.in/yaml.v3"), "policy imports gopkg.in/yaml.v3: it is at home only in policy/strict"},
		{"YAML is not in the commands", at("cmd/internal/cli", "gopkg.in/yaml.v3"), "cmd/internal/cli imports gopkg.in/yaml.v3"},
		{"MSAL has a home", at("exchange/auth", msal, "golang.org/x/oauth2"), ""},
		{"MSAL is not in the client", at("exchange", msal), "exchange imports " + msal},
		{"MSAL is not in the commands", at("cmd/internal/daemon", msal), "cmd/internal/daemon imports " + msal},
		{"the client has its libraries", at("exchange", "golang.org/x/time/rate", "github.com/go-json-experiment/json/jsontext"), ""},
		{"a path beside an allowed one is refused", at("exchange", "golang.org/x/oauth2/google"), "exchange imports golang.org/x/oauth2/google"},
		{"the client knows no policy", at("exchange", "~/policy/audit"), "exchange imports " + modulePath + "/policy/audit"},
		{"the simulator is alone", at("exchange/simulator", "~/policy/audit"), "exchange/simulator imports " + modulePath + "/policy/audit"},
		{"the simulator has no libraries", at("exchange/simulator", "golang.org/x/sync/errgroup"), "exchange/simulator imports golang.org/x/sync/errgroup"},
		{"the oracle reads the simulator", at("exchange/simulator/oracle", "~/exchange/simulator"), ""},
		{"the oracle reads no plan", at("exchange/simulator/oracle", "~/reconcile"), "exchange/simulator/oracle imports " + modulePath + "/reconcile"},
		{"the loop has its parts", at("reconcile", "~/policy", "~/exchange", "~/reconcile/journal", "~/reconcile/store"), ""},
		{"the loop has no backend", at("reconcile", "~/reconcile/store/sqlite"), "reconcile imports " + modulePath + "/reconcile/store/sqlite"},
		{"the loop is not shipped with the simulator", at("reconcile", "~/exchange/simulator"), "reconcile imports " + modulePath + "/exchange/simulator"},
		{"the journal names actions", at("reconcile/journal", "~/policy/audit"), ""},
		{"the store knows no plan", at("reconcile/store", "~/reconcile"), "reconcile/store imports " + modulePath + "/reconcile"},
		{"the commands wire backends", at("cmd/internal/cli", "~/reconcile/store/sqlite", "github.com/spf13/cobra"), ""},
		{"the commands use no test library", at("cmd/internal/cli", "pgregory.net/rapid"), "cmd/internal/cli imports pgregory.net/rapid"},
		{"main calls the commands only", at("cmd/exoaudit", "~/exchange"), "cmd/exoaudit imports " + modulePath + "/exchange"},
		{"C is not linked", at("reconcile", "C"), "reconcile imports C"},
		{"a new package is placed first", at("reconcile/novelty"), "reconcile/novelty has no row"},
		{"a vague folder", at("reconcile/util"), "a folder named util"},
		{"a vague package", listed{ImportPath: modulePath + "/policy", Name: "helpers"}, "a package named helpers"},
		{
			"a long path to the client",
			listed{ImportPath: modulePath + "/policy", Name: "policy", Deps: []string{modulePath + "/exchange/auth"}},
			"policy reaches " + modulePath + "/exchange/auth",
		},
		{
			"YAML in a test",
			listed{ImportPath: modulePath + "/exchange", Name: "exchange", XTestImports: []string{"gopkg.in/yaml.v3"}},
			"the tests of exchange import gopkg.in/yaml.v3",
		},
		{"a package of somebody else", listed{ImportPath: "example.com/util", Name: "util", Imports: []string{"C"}}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			packages := []listed{test.in}
			for _, name := range []string{"context", "embed", "log/slog", "net/http", "os/exec"} {
				packages = append(packages, listed{ImportPath: name, Standard: true})
			}
			found := breaches(packages)
			if test.want == "" {
				if len(found) > 0 {
					t.Fatalf("refused: %q", found)
				}
				return
			}
			if !slices.ContainsFunc(found, func(breach string) bool { return strings.Contains(breach, test.want) }) {
				t.Fatalf("got %q, want one with %q", found, test.want)
			}
		})
	}
}

// TestStrangers shows that the root's check catches what it is for.
func TestStrangers(t *testing.T) {
	got := strangers([]string{".ci", ".git", "LICENSE", "README.md", "cmd", "internal", "pkg", "policy", "testdata"})
	if want := []string{"internal", "pkg"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

package arch

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestTheHouseKeepsItsLaw is the law applied to this tree.
func TestTheHouseKeepsItsLaw(t *testing.T) {
	breaches, err := Check(os.DirFS(root(t)))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range breaches {
		t.Error(b)
	}
}

// root is the module's folder.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the working directory")
		}
		dir = up
	}
}

// source is a Go file of a package that imports paths.
func source(pkg string, paths ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "package %s\n", pkg)
	for _, p := range paths {
		fmt.Fprintf(&b, "import _ %q\n", p)
	}
	return b.String()
}

func breaches(t *testing.T, name, text string) []Breach {
	t.Helper()
	got, err := Check(fstest.MapFS{name: {Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestEachRoomMayImportWhatTheLawSaysAndNoMore(t *testing.T) {
	for _, c := range []struct {
		file, path string
		ok         bool
	}{
		{"main.go", "koprik/internal/cli", true},
		{"main.go", "koprik/internal/node", false},
		{"main_test.go", "koprik/internal/node", true},
		{"portal/a.go", "strings", true},
		{"portal/a.go", "net/url", true},
		{"portal/a.go", "os", false},
		{"portal/a.go", "net", false},
		{"portal/a.go", "net/http", false},
		{"portal/a.go", "database/sql", false},
		{"portal/a.go", "golang.org/x/text/language", false},
		{"portal/a.go", "koprik/portal/lang", false},
		{"portal/lang/a.go", "koprik/portal", true},
		{"portal/lang/a.go", "golang.org/x/text/unicode/norm", true},
		{"portal/lang/a.go", "github.com/blevesearch/snowballstem", true},
		{"portal/lang/a.go", "github.com/blevesearch/bleve/v2", false},
		{"portal/lang/a.go", "os", false},
		{"portal/lang/a_test.go", "os", true},
		{"portal/datapackage/a.go", "koprik/portal/lang", true},
		{"portal/datapackage/a.go", "koprik/embed/blob", false},
		{"portal/datapackage/a.go", "koprik/internal/disk", false},
		{"portal/datapackage/a.go", "github.com/gorilla/mux", false},
		{"embed/catalog/a.go", "koprik/portal/datapackage", true},
		{"embed/catalog/a.go", "koprik/embed/sqlite", true},
		{"embed/catalog/a.go", "koprik/embed/blob", false},
		{"embed/catalog/a_test.go", "koprik/embed/blob", true},
		{"embed/catalog/a_test.go", "koprik/sync/tuf", false},
		{"embed/catalog/a_test.go", "koprik/embed/sqlite/sqlitetest", true},
		{"embed/catalog/a.go", "koprik/embed/sqlite/sqlitetest", false},
		{"embed/catalog/a.go", "koprik/sync/tuf", false},
		{"embed/catalog/a.go", "koprik/ui/locale", false},
		{"embed/catalog/a.go", "koprik/internal/disk", true},
		{"embed/catalog/a.go", "koprik/internal/node", false},
		{"embed/catalog/a.go", "database/sql", true},
		{"embed/catalog/a.go", "github.com/blevesearch/bleve/v2", false},
		{"embed/index/a.go", "github.com/blevesearch/bleve/v2/mapping", true},
		{"sync/tuf/a.go", "crypto/ed25519", true},
		{"sync/tuf/a.go", "koprik/portal", false},
		{"sync/tuf/a.go", "os", false},
		{"sync/tuf/a.go", "github.com/klauspost/compress/zstd", false},
		{"sync/tuf/conformance/main.go", "os", true},
		{"sync/tuf/conformance/main.go", "koprik/sync/tuf", true},
		{"sync/delta/a.go", "koprik/portal", true},
		{"sync/delta/a.go", "koprik/internal/disk", false},
		{"sync/delta/a.go", "koprik/sync/tuf", false},
		{"sync/delta/a.go", "os", false},
		{"sync/delta/a.go", "github.com/klauspost/compress/zstd", true},
		{"sync/mirror/a.go", "koprik/sync/tuf", true},
		{"sync/mirror/a.go", "koprik/sync/carrier", true},
		{"sync/mirror/a.go", "koprik/sync/origin", false},
		{"sync/mirror/a_test.go", "koprik/sync/origin", true},
		{"sync/mirror/a_test.go", "koprik/internal/faults", true},
		{"sync/mirror/a_test.go", "koprik/internal/disk/disktest", true},
		{"sync/mirror/a.go", "koprik/internal/faults", false},
		{"sync/mirror/a.go", "koprik/embed/blob", false},
		{"sync/mirror/a.go", "crypto/ed25519", false},
		{"sync/mirror/a.go", "crypto/hpke", false},
		{"sync/post/a.go", "crypto/hpke", true},
		{"ui/site/a.go", "github.com/gorilla/mux", true},
		{"ui/site/a.go", "koprik/ui/locale", true},
		{"ui/site/a.go", "koprik/ui/assets", true},
		{"ui/site/a.go", "koprik/ui/api", false},
		{"ui/site/a.go", "koprik/embed/catalog", false},
		{"ui/site/a.go", "koprik/internal/disk", false},
		{"ui/site/a.go", "modernc.org/sqlite", false},
		{"internal/disk/a.go", "golang.org/x/sys/unix", true},
		{"internal/disk/a.go", "koprik/portal", false},
		{"internal/node/a.go", "koprik/embed/catalog", true},
		{"internal/node/a.go", "koprik/sync/mirror", true},
		{"internal/node/a.go", "koprik/ui/site", true},
		{"internal/node/a.go", "koprik/internal/cli", false},
		{"internal/node/a.go", "github.com/gorilla/mux", false},
		{"internal/cli/a.go", "koprik/internal/node", true},
		{"internal/cli/a.go", "koprik/portal/lang", true},
		{"internal/cli/a.go", "koprik/embed/table", false},
		{"internal/cli/a.go", "koprik/internal/disk", false},
		{"internal/other/a.go", "koprik/portal", false},
		{"util/a.go", "koprik/portal", false},
	} {
		got := breaches(t, c.file, source("p", c.path))
		if ok := len(got) == 0; ok != c.ok {
			t.Errorf("%s imports %s: allowed %v, want %v %v", c.file, c.path, ok, c.ok, got)
		}
	}
}

func TestOnlyTheNodeAsksTheClockAndOnlyMainEndsTheProgram(t *testing.T) {
	const clock = "package p\nimport \"time\"\nvar F = time.Now\n"
	const since = "package p\nimport t \"time\"\nfunc f(a t.Time) t.Duration { return t.Since(a) }\n"
	const exit = "package p\nimport \"os\"\nfunc f() { os.Exit(1) }\n"
	const own = "package p\ntype c struct{}\nfunc (c) Now() int { return 1 }\nvar time c\nvar F = time.Now\n"
	for _, c := range []struct {
		file, text string
		ok         bool
	}{
		{"internal/node/a.go", clock, true},
		{"sync/mirror/a.go", clock, false},
		{"sync/mirror/a.go", since, false},
		{"sync/mirror/a_test.go", clock, true},
		{"internal/faults/a.go", clock, true},
		{"sync/mirror/a.go", own, true},
		{"internal/cli/a.go", exit, false},
		{"internal/cli/a_test.go", exit, true},
		{"main.go", strings.Replace(exit, "package p", "package main", 1), true},
	} {
		if got := breaches(t, c.file, c.text); (len(got) == 0) != c.ok {
			t.Errorf("%s: %v, want allowed %v\n%s", c.file, got, c.ok, c.text)
		}
	}
}

func TestSQLStandsOnlyInEmbed(t *testing.T) {
	for _, c := range []struct {
		file, text string
		ok         bool
	}{
		{"embed/catalog/a.go", "SELECT 1", true},
		{"ui/site/a.go", "SELECT 1", false},
		{"ui/site/a.go", "\\n  UPDATE t SET a = 1", false},
		{"ui/site/a.go", "INSERT OR REPLACE INTO t VALUES (1)", false},
		{"ui/site/a.go", "PRAGMA journal_mode", false},
		{"ui/site/a.go", "Select a file from the list", true},
		{"ui/site/a.go", "UPDATED", true},
		{"ui/site/a_test.go", "SELECT 1", true},
	} {
		if got := breaches(t, c.file, "package p\nconst q = \""+c.text+"\"\n"); (len(got) == 0) != c.ok {
			t.Errorf("%s %q: %v", c.file, c.text, got)
		}
	}
}

func TestNoPackageShadowsTheStandardLibrary(t *testing.T) {
	for file, pkg := range map[string]string{"embed/a.go": "p", "sync/a.go": "p", "ui/site/a.go": "embed", "embed/blob/a.go": "sync"} {
		if got := breaches(t, file, source(pkg)); len(got) != 1 {
			t.Errorf("%s, package %s: %v", file, pkg, got)
		}
	}
}

func TestFunctionsAndFilesStayShort(t *testing.T) {
	function := func(lines int) string {
		return "package p\nfunc f() {\n" + strings.Repeat("_ = 1\n", lines-2) + "}\n"
	}
	for _, c := range []struct {
		file, text string
		ok         bool
	}{
		{"ui/site/a.go", function(79), true},
		{"ui/site/a.go", function(80), false},
		{"ui/site/a_test.go", function(80), true},
		{"ui/site/a.go", "package p\n" + strings.Repeat("//\n", 498), true},
		{"ui/site/a_test.go", "package p\n" + strings.Repeat("//\n", 500), false},
	} {
		if got := breaches(t, c.file, c.text); (len(got) == 0) != c.ok {
			t.Errorf("%s with %d lines: %v", c.file, strings.Count(c.text, "\n"), got)
		}
	}
}

func TestEveryNameSaysWhereItComesFrom(t *testing.T) {
	if got := breaches(t, "internal/cli/a.go", "package p\nimport . \"time\"\nvar F = Now\n"); len(got) != 1 {
		t.Errorf("a dot import: %v", got)
	}
}

func TestABreachNamesItsPlace(t *testing.T) {
	got := breaches(t, "ui/site/a.go", source("p", "strings", "koprik/ui/api"))
	if len(got) != 1 || !strings.HasPrefix(got[0].String(), "ui/site/a.go:3: ui/site imports ui/api: ") {
		t.Errorf("%v", got)
	}
}

// TestEveryDependencyHasItsLine reads go.mod against docs/reference/dependencies.md.
func TestEveryDependencyHasItsLine(t *testing.T) {
	dir := root(t)
	page, err := os.ReadFile(filepath.Join(dir, "docs", "reference", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		if _, rest, ok := strings.Cut(line, "| `"); ok && strings.HasPrefix(line, "| `") {
			name, _, _ := strings.Cut(rest, "`")
			listed[name] = true
		}
	}
	required := append(direct(t, filepath.Join(dir, "go.mod")), toolsOf(t, filepath.Join(dir, "tools", "go.mod"))...)
	for _, m := range required {
		if !listed[m] {
			t.Errorf("docs/reference/dependencies.md has no line for %s", m)
		}
		delete(listed, m)
	}
	for m := range listed {
		t.Errorf("docs/reference/dependencies.md has a line for %s, which go.mod does not require", m)
	}
}

// direct are the modules that a go.mod requires by itself.
func direct(t *testing.T, name string) []string {
	t.Helper()
	var all []string
	for _, line := range lines(t, name) {
		fields := strings.Fields(strings.TrimPrefix(line, "require "))
		if len(fields) >= 2 && strings.Contains(fields[0], ".") && strings.HasPrefix(fields[1], "v") && !strings.Contains(line, "// indirect") {
			all = append(all, fields[0])
		}
	}
	return all
}

// toolsOf are the programs that a go.mod names as tools.
func toolsOf(t *testing.T, name string) []string {
	t.Helper()
	all := lines(t, name)
	from := slices.Index(all, "tool (")
	if from < 0 {
		t.Fatalf("%s names no tools", name)
	}
	var tools []string
	for _, line := range all[from+1:] {
		if line == ")" {
			break
		}
		tools = append(tools, strings.TrimSpace(line))
	}
	return tools
}

func lines(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(data), "\n")
}

// TestTheGuaranteesNameTestsThatExist reads docs/ARCHITECTURE.md against the tree.
func TestTheGuaranteesNameTestsThatExist(t *testing.T) {
	dir := root(t)
	page, err := os.ReadFile(filepath.Join(dir, "docs", "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z/]+)\\.(Test\\w+)`").FindAllSubmatch(page, -1)
	if len(named) == 0 {
		t.Fatal("no guarantee names a test")
	}
	for _, m := range named {
		folder, test := string(m[1]), string(m[2])
		files, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(folder), "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(files, func(name string) bool {
			source, err := os.ReadFile(name)
			return err == nil && strings.Contains(string(source), "func "+test+"(t *testing.T)")
		}) {
			t.Errorf("docs/ARCHITECTURE.md names %s.%s, which is not there", folder, test)
		}
	}
}

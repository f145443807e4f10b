package arch

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// leaves of each floor: packages that their neighbours may import.
var leaves = map[string][]string{
	"embed": {"embed/sqlite"},
	"sync":  {"sync/tuf", "sync/delta", "sync/carrier"},
	"ui":    {"ui/assets", "ui/chart", "ui/guard", "ui/locale", "ui/qr"},
}

// inside says what of ours the packages of internal/ may import; "portal"
// stands for portal and everything below it, "rooms" for all rooms.
var inside = map[string][]string{
	"internal/arch":   {},
	"internal/disk":   {},
	"internal/faults": {"internal/disk"},
	"internal/backup": {"portal"},
	"internal/node":   {"portal", "rooms", "internal/disk", "internal/backup"},
	"internal/demo":   {"portal", "internal/node"},
	"internal/cli":    {"portal", "internal/node", "internal/demo", "internal/backup"},
}

// library is an import path, or a prefix that ends with a slash, and the only
// folders in which it may stand.
type library struct {
	path string
	only []string
}

// libraries are those with a place of their own.
var libraries = []library{
	{"database/sql", []string{"embed"}},
	{"modernc.org/sqlite", []string{"embed"}},
	{"github.com/blevesearch/snowballstem", []string{"embed/index", "portal/lang"}},
	{"github.com/blevesearch/", []string{"embed/index"}},
	{"github.com/gorilla/", []string{"ui"}},
	{"crypto/ed25519", []string{"sync/tuf"}},
	{"crypto/hpke", []string{"sync/post"}},
	{"filippo.io/age", []string{"internal/backup"}},
	{"github.com/wneessen/go-mail", []string{"sync/mailer"}},
	{"net/smtp", nil},
}

// granted are the libraries that the codecs below portal may use.
var granted = []string{
	"golang.org/x/text/", "go.yaml.in/yaml/v3", "github.com/santhosh-tekuri/jsonschema/v6", "github.com/blevesearch/snowballstem",
}

// worldly packages do input and output: nothing in portal touches them.
var worldly = []string{"os", "os/exec", "os/signal", "os/user", "net", "net/http", "net/rpc", "net/smtp", "database/sql", "syscall"}

// room is the part of the house that a package's folder belongs to: its first
// two names, or "portal" for the domain itself, or "main".
func room(dir string) string {
	if dir == "." || dir == "" {
		return "main"
	}
	parts := strings.SplitN(dir, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}

// forTests tells packages that only tests may import.
func forTests(dir string) bool {
	return room(dir) == "internal/faults" || strings.HasSuffix(path.Base(dir), "test")
}

// under tells whether dir is folder or stands below it.
func under(dir, folder string) bool { return dir == folder || strings.HasPrefix(dir, folder+"/") }

func checkImports(f *file, report reporter) {
	for _, spec := range f.syntax.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			report(spec.Pos(), "import path %s: %v", spec.Path.Value, err)
			continue
		}
		if spec.Name != nil && spec.Name.Name == "." {
			report(spec.Pos(), "%s is imported under no name, so nobody sees what comes from it", p)
		}
		if to, ours := strings.CutPrefix(p, Module+"/"); ours {
			if why := refuse(f, to); why != "" {
				report(spec.Pos(), "%s imports %s: %s", f.dir, to, why)
			}
			continue
		}
		if !f.test && !forTests(f.dir) {
			if why := refuseForeign(f.dir, p); why != "" {
				report(spec.Pos(), "%s imports %s: %s", f.dir, p, why)
			}
		}
	}
}

// refuse says why f may not import our package to; "" when it may.
func refuse(f *file, to string) string {
	from, target := room(f.dir), room(to)
	tests := f.test || forTests(f.dir)
	switch {
	case forTests(to):
		if !tests {
			return "that package is for tests"
		}
		return ""
	case from == target:
		return ""
	case from == "main":
		if target != "internal/cli" && !tests {
			return "main calls internal/cli and nothing else"
		}
		return ""
	case from == "portal":
		return "the domain imports the standard library only"
	}
	floor, _, _ := strings.Cut(from, "/")
	switch floor {
	case "portal":
		if !under(to, "portal") {
			return "a codec knows portal and its neighbours only"
		}
		return ""
	case "embed", "sync", "ui":
		return refuseRoom(floor, from, target, tests)
	case "internal":
		return refuseInside(from, target, tests)
	}
	return "this folder is not in the plan of the house (DESIGN.md)"
}

// refuseRoom is the law for the rooms: portal, the leaves of the own floor, and
// internal/disk where bytes are kept. Tests may bring a neighbour of their floor.
func refuseRoom(floor, from, to string, tests bool) string {
	switch {
	case from == "sync/tuf":
		return "the verifier imports nothing of ours"
	case under(to, "portal"):
		return ""
	case from == "sync/delta":
		return "this leaf is pure and knows portal only"
	case to == "internal/disk":
		if floor != "ui" {
			return ""
		}
		return "pages do not touch the disk"
	case slices.Contains(leaves[floor], to):
		return ""
	case under(to, floor):
		if tests {
			return ""
		}
		return "only the leaves " + strings.Join(leaves[floor], ", ") + " are imported inside " + floor
	}
	return "rooms do not know each other: declare a small interface, and internal/node fits it"
}

func refuseInside(from, to string, tests bool) string {
	allowed, ok := inside[from]
	if !ok {
		return "this folder is not in the plan of the house (DESIGN.md)"
	}
	for _, a := range allowed {
		switch {
		case a == "rooms" && (under(to, "embed") || under(to, "sync") || under(to, "ui")),
			a == "portal" && under(to, "portal"), a == to:
			return ""
		}
	}
	if tests && from != "internal/disk" && from != "internal/arch" {
		return ""
	}
	return "it may import " + strings.Join(allowed, ", ") + " of ours"
}

// refuseForeign says why a package may not import p, which is not ours.
func refuseForeign(dir, p string) string {
	first, _, _ := strings.Cut(p, "/")
	standard := !strings.Contains(first, ".")
	switch {
	case dir == "portal" && !standard:
		return "the domain imports the standard library only"
	case under(dir, "portal") && slices.Contains(worldly, p):
		return "the domain does no input and output"
	case room(dir) == "sync/tuf" && !standard:
		return "the verifier stands on the standard library alone"
	case (dir == "sync/tuf" || dir == "sync/delta") && slices.Contains(worldly, p):
		return "this leaf is pure: bytes go in and bytes or a verdict come out"
	case under(dir, "portal") && !standard && !hasPrefix(granted, p):
		return "docs/reference/dependencies.md does not grant it to a codec"
	}
	for _, l := range libraries {
		if !hasPrefix([]string{l.path}, p) {
			continue
		}
		for _, folder := range l.only {
			if under(dir, folder) {
				return ""
			}
		}
		return "it stands only in " + strings.Join(l.only, ", ")
	}
	return ""
}

// hasPrefix tells whether p is one of paths or below one of them.
func hasPrefix(paths []string, p string) bool {
	return slices.ContainsFunc(paths, func(one string) bool { return under(p, strings.TrimSuffix(one, "/")) })
}

// statement is how SQL begins, as people write it here.
var statement = regexp.MustCompile(`^\s*(SELECT\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|CREATE\s+(TABLE|VIRTUAL|INDEX|UNIQUE|VIEW|TRIGGER)\s|PRAGMA\s)`)

// checkSQL keeps SQL in embed/.
func checkSQL(f *file, report reporter) {
	if f.test || under(f.dir, "embed") {
		return
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		if s, err := strconv.Unquote(lit.Value); err == nil && statement.MatchString(s) {
			report(lit.Pos(), "SQL stands only in embed")
		}
		return true
	})
}

// Package arch keeps the law of the house (DESIGN.md, "The import law"): which
// room may know which, which library stands where, who asks the clock, who ends
// the program, and how long a function and a file may be.
//
// Nothing imports it. Its test reads the whole tree, files for other systems
// too, and names every place that breaks the law.
package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Module is the module whose tree is read.
const Module = "koprik"

// Breach is one place that breaks the law.
type Breach struct {
	File string // relative to the module's root
	Line int
	What string
}

// String is the breach as compilers write theirs.
func (b Breach) String() string { return fmt.Sprintf("%s:%d: %s", b.File, b.Line, b.What) }

// file is one Go file, read.
type file struct {
	path   string
	dir    string // "." for the root
	test   bool
	lines  int
	syntax *ast.File
	set    *token.FileSet
}

// Check reads every Go file under the module's root and names what breaks the
// law, ordered by file and line. It ends with an error when a file cannot be
// read or parsed.
func Check(root fs.FS) ([]Breach, error) {
	files, err := read(root)
	if err != nil {
		return nil, err
	}
	var all []Breach
	for _, f := range files {
		report := func(at token.Pos, format string, args ...any) {
			all = append(all, Breach{f.path, f.set.Position(at).Line, fmt.Sprintf(format, args...)})
		}
		checkPackage(f, report)
		checkImports(f, report)
		checkCalls(f, report)
		checkSQL(f, report)
		checkLength(f, report)
	}
	slices.SortFunc(all, func(a, b Breach) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		return a.Line - b.Line
	})
	return all, nil
}

// reporter takes one breach at a place of the file being checked.
type reporter func(at token.Pos, format string, args ...any)

// read parses all Go files, whatever system they are built for.
func read(root fs.FS) ([]*file, error) {
	var files []*file
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "dist" || name == "tools") {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		syntax, err := parser.ParseFile(set, name, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, &file{
			path: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"),
			lines: set.File(syntax.FileStart).LineCount(), syntax: syntax, set: set,
		})
		return nil
	})
	return files, err
}

// checkPackage keeps embed and sync as folders that only hold other packages,
// so that nothing shadows the standard library.
func checkPackage(f *file, report reporter) {
	name := f.syntax.Name.Name
	if name == "embed" || name == "sync" {
		report(f.syntax.Name.Pos(), "a package is called %s, as one of the standard library", name)
	}
	if f.dir == "embed" || f.dir == "sync" {
		report(f.syntax.Name.Pos(), "%s/ holds packages and no Go files of its own", f.dir)
	}
}

// checkCalls keeps the clock in internal/node and the end of the program in main.
func checkCalls(f *file, report reporter) {
	if f.test || forTests(f.dir) {
		return
	}
	names := importNames(f)
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := sel.X.(*ast.Ident)
		if !ok {
			return true
		}
		switch call := names[pkg.Name] + "." + sel.Sel.Name; call {
		case "time.Now", "time.Since", "time.Until":
			if f.dir != "internal/node" {
				report(sel.Pos(), "%s asks the machine's clock: only internal/node does; take a time", call)
			}
		case "os.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln":
			if f.syntax.Name.Name != "main" {
				report(sel.Pos(), "%s ends the program: only main does; return an error", call)
			}
		}
		return true
	})
}

// importNames gives the import path of each name a file uses for a package.
func importNames(f *file) map[string]string {
	names := map[string]string{}
	for _, spec := range f.syntax.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		name := path.Base(p)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = p
	}
	return names
}

// How long things may be: one less than the law's figure.
const (
	maxFunction = 79
	maxFile     = 499
)

// checkLength keeps functions and files short enough to be read. A table of
// tests may be as long as it needs.
func checkLength(f *file, report reporter) {
	if f.lines > maxFile {
		report(f.syntax.Name.Pos(), "%d lines in one file, at most %d", f.lines, maxFile)
	}
	if f.test {
		return
	}
	for _, d := range f.syntax.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		lines := f.set.Position(fn.End()).Line - f.set.Position(fn.Pos()).Line + 1
		if lines > maxFunction {
			report(fn.Pos(), "%s has %d lines, at most %d", fn.Name.Name, lines, maxFunction)
		}
	}
}

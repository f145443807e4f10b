package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"koprik/portal"
	"koprik/portal/datapackage"
)

// Input is one thing to publish: a folder with a data package, or a table file.
type Input struct {
	Label string             // what a person calls it: the path that was given
	FS    fs.FS              // the folder it stands in; nothing outside is read
	Name  string             // in FS: "." for the folder itself
	Draft *datapackage.Draft // instead of FS and Name: read by an importer

	KeepColumns bool // reject it when it would take columns from published reuses
}

// OpenInput opens a path that a person gave. The returned function lets go of it.
// Nothing outside the path's folder is read, wherever links in it lead.
func OpenInput(path string) (Input, func(), error) {
	missing := func(err error) error {
		p := &portal.Problem{Kind: portal.ErrRejected, Where: path, Message: fmt.Sprintf("cannot be opened: %v", err), Cause: err, Hint: "check the path"}
		if errors.Is(err, fs.ErrNotExist) {
			p.Message = "there is no such file or folder"
		}
		return p
	}
	info, err := os.Stat(path)
	if err != nil {
		return Input{}, nil, missing(err)
	}
	dir, name := path, "."
	if !info.IsDir() {
		dir, name = filepath.Split(path)
		if dir == "" {
			dir = "."
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Input{}, nil, missing(err)
	}
	// Each file is opened through a root of its own: a hundred thousand inputs
	// hold no descriptor while they wait.
	return Input{Label: path, FS: lateFS{dir}, Name: name}, func() {}, root.Close()
}

func (in Input) load() (datapackage.Draft, error) {
	if in.Draft != nil {
		return *in.Draft, nil
	}
	d, err := datapackage.Load(in.FS, in.Name)
	return d, under(in.Label, err)
}

// bare tells a single file about which nothing was said: then only what it holds
// can say that it is data, and a README.md beside the tables is not.
func (in Input) bare(d datapackage.Draft) bool {
	return in.Draft == nil && in.Name != "." && !d.HasPassport && !slices.Contains(datapackage.Descriptors, path.Base(in.Name))
}

// under puts the input's label before where a problem is, unless it stands there.
func under(label string, err error) error {
	var many portal.Problems
	var one *portal.Problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &many):
	case errors.As(err, &one):
		many = portal.Problems{one}
	default:
		return fmt.Errorf("%s: %w", label, err)
	}
	many = many.Under(label)
	for _, p := range many { // copies
		for _, again := range []string{".", filepath.Base(label)} { // the folder, the file that was named
			if rest, ok := strings.CutPrefix(p.Where+": ", label+": "+again+": "); ok {
				p.Where = strings.TrimSuffix(label+": "+rest, ": ")
			}
		}
	}
	return many.Err()
}

// Package demo is the demonstration catalogue: real figures, typed anew from
// named sources, published by a "Demonstration publisher" that answers for
// nothing but the demonstration. The packages stand under packages/, one folder
// a dataset, as a publisher would hand them in.
package demo

import (
	"embed"
	"io/fs"

	"koprik/portal"
)

//go:embed all:packages
var files embed.FS

// What the demonstration nodes are called.
const (
	Title                          = "Koʻprik — namoyish portali"
	MirrorTitle                    = "Koʻprik — namoyish nusxasi"
	Contact                        = "demo@example.org"
	Publisher   portal.PublisherID = "demo"
)

// Package is one dataset of the demonstration.
type Package struct {
	Name string
	FS   fs.FS // its folder: datapackage.json or .yaml, passport.yaml and files
}

// Packages gives all datasets of the demonstration, by name.
func Packages() []Package {
	entries, err := files.ReadDir("packages")
	if err != nil {
		panic(err) // embedded at build time: it is there or the program is not
	}
	packages := make([]Package, 0, len(entries))
	for _, e := range entries {
		sub, err := fs.Sub(files, "packages/"+e.Name())
		if err != nil {
			panic(err) // as above
		}
		packages = append(packages, Package{e.Name(), sub})
	}
	return packages
}

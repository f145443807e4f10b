// Package demo is the demonstration catalogue: real figures of the statistics
// office of Uzbekistan, typed anew from the sources that every dataset names,
// published by a "Demonstration publisher" that answers for nothing but the
// demonstration. The datasets stand under packages/, one folder each, as a
// publisher would hand them in; updates/ holds newer releases of some of them.
//
// The figures are facts and the source's. File and column names, layout, codes,
// names in five languages and every sentence are ours. What does not add up in
// a source is shown as it was published and said in the passport's notes.
package demo

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"io/fs"

	"koprik/portal"
)

// packed is packages/ and updates/ as one archive: uncompressed they would take a
// hundredth of the program. TestTheArchiveIsTheFolders makes it anew
// (KOPRIK_UPDATE=1) and holds it to the folders.
//
//go:embed packed.zip
var packed []byte

var files = func() *zip.Reader {
	r, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		panic(err) // embedded at build time: it is there or the program is not
	}
	return r
}()

// What the demonstration nodes are called.
const (
	Title                          = "Koʻprik — namoyish portali"
	MirrorTitle                    = "Koʻprik — namoyish nusxasi"
	Contact                        = "demo@example.org"
	Publisher   portal.PublisherID = "demo"
)

// PublisherTitle is what the publisher is called on pages: it answers for
// nothing but the demonstration.
var PublisherTitle = portal.Text{
	Plain: "Namoyish nashriyotchisi",
	Translated: map[portal.Lang]string{
		portal.Uzbek: "Namoyish nashriyotchisi", portal.UzbekCyrillic: "Намойиш нашриётчиси",
		portal.Karakalpak: "Kórsetiw baspashısı", portal.Russian: "Демонстрационный издатель",
		portal.English: "Demonstration publisher",
	},
}

// Package is one release of a dataset of the demonstration, before it is made.
type Package struct {
	Name string // the dataset's part of its id
	FS   fs.FS  // its folder: datapackage.yaml, passport.yaml and files
}

// Packages gives the first release of all datasets, by name.
func Packages() []Package { return folder("packages") }

// Updates gives second releases of some of the datasets of Packages, by name,
// to be published after them: each carries the reason for the change, so that a
// history of two releases shows.
func Updates() []Package { return folder("updates") }

func folder(dir string) []Package {
	entries, err := fs.ReadDir(files, dir)
	if err != nil {
		panic(err) // as above
	}
	packages := make([]Package, 0, len(entries))
	for _, e := range entries {
		sub, err := fs.Sub(files, dir+"/"+e.Name())
		if err != nil {
			panic(err) // as above
		}
		packages = append(packages, Package{e.Name(), sub})
	}
	return packages
}

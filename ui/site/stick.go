package site

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"

	"koprik/portal"
	"koprik/ui/locale"
)

//go:embed stick/*.html
var stickFiles embed.FS

// StickCopy is what the pages on a stick say (spec/sync.md, "Sticks"): plain
// files that an office PC opens without a program of ours.
type StickCopy struct {
	Title      string // the portal's name
	Generation int64
	AsOf       time.Time
	Datasets   []StickEntry
}

// StickEntry is one dataset on a stick.
type StickEntry struct {
	Title     portal.Text
	Publisher portal.Text
	Contact   string // e-mail of who answers; may be empty
	Issued    time.Time
	Files     []StickEntryFile
}

// StickEntryFile is a file of a dataset; Path is where it stands from the top of
// the stick's folder, "" where it is not on the stick.
type StickEntryFile struct {
	Name, Path string
	Bytes      int64
}

// StickPage is a page on a stick and where it stands from the top of the
// stick's folder.
type StickPage struct {
	Path string
	HTML []byte
}

// stickIndexPage is the struct of stick/index.html.
type stickIndexPage struct {
	Tag, Title string
	Parts      []stickPart
}

// stickPart is what the index says in one language.
type stickPart struct {
	*locale.Words
	What  string
	Count string
	Href  string
}

// stickListPage is the struct of stick/list.html.
type stickListPage struct {
	*locale.Words
	Title, What    string
	Datasets       []stickRow
	Previous, Next string
}

type stickRow struct {
	Title, Publisher Shown
	Issued           string
	Contact          *stickMail
	Files            []stickFileRow
}

type stickMail struct {
	Text string
	Href template.URL
}

type stickFileRow struct{ Name, Href, Size string }

// stickRows is how many datasets stand on one page of a stick.
const stickRows = 1000

// StickPages makes INDEX.html in all languages, and the list of datasets in each.
func StickPages(words *locale.Catalog, c StickCopy) ([]StickPage, error) {
	t, err := template.ParseFS(stickFiles, "stick/*.html")
	if err != nil {
		return nil, err
	}
	render := func(name string, data any) ([]byte, error) {
		var b bytes.Buffer
		err := t.ExecuteTemplate(&b, name, data)
		return b.Bytes(), err
	}
	index := stickIndexPage{Tag: words.Words(portal.Uzbek).Tag(), Title: c.Title}
	var pages []StickPage
	for _, l := range portal.Langs {
		v := &visit{Frame: &Frame{Words: words.Words(l)}, lang: l}
		what := v.T("stick.what", "title", c.Title, "date", v.Date(c.AsOf), "n", c.Generation)
		index.Parts = append(index.Parts, stickPart{
			Words: v.Words, What: what, Count: v.N("home.datasets", len(c.Datasets)), Href: stickList(c.Generation, l, 0),
		})
		for n := 0; n == 0 || n*stickRows < len(c.Datasets); n++ {
			rows := c.Datasets[n*stickRows : min((n+1)*stickRows, len(c.Datasets))]
			p := stickListPage{Words: v.Words, Title: v.T("stick.title"), What: what, Datasets: v.stickRows(rows)}
			if n > 0 {
				p.Previous = below(stickList(c.Generation, l, n-1))
			}
			if (n+1)*stickRows < len(c.Datasets) {
				p.Next = below(stickList(c.Generation, l, n+1))
			}
			html, err := render("list.html", p)
			if err != nil {
				return nil, err
			}
			pages = append(pages, StickPage{Path: stickList(c.Generation, l, n), HTML: html})
		}
	}
	html, err := render("index.html", index)
	return append(pages, StickPage{Path: "INDEX.html", HTML: html}), err
}

// stickList names a list by its generation, so that a stick that is pulled while
// it is written has a list for the index that stands on it.
func stickList(generation int64, l portal.Lang, n int) string {
	if n == 0 {
		return fmt.Sprintf("index/%d/%s.html", generation, l.Path())
	}
	return fmt.Sprintf("index/%d/%s-%d.html", generation, l.Path(), n+1)
}

// below gives the address of a list from a list beside it.
func below(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

func (v *visit) stickRows(list []StickEntry) []stickRow {
	rows := make([]stickRow, len(list))
	for i, d := range list {
		row := stickRow{Title: v.text(d.Title), Publisher: v.text(d.Publisher), Issued: v.Date(d.Issued)}
		if href := mail(d.Contact); href != "" {
			row.Contact = &stickMail{Text: d.Contact, Href: template.URL(href)} //nolint:gosec // mail lets nothing but an address through
		}
		for _, f := range d.Files {
			file := stickFileRow{Name: f.Name, Size: v.Bytes(f.Bytes)}
			if f.Path != "" {
				file.Href = "../../" + (&url.URL{Path: f.Path}).EscapedPath()
			}
			row.Files = append(row.Files, file)
		}
		rows[i] = row
	}
	return rows
}

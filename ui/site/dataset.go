package site

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"koprik/portal"
)

// Limits of the preview on a dataset's page.
const (
	previewRows    = 5
	previewColumns = 8
	previewTables  = 3
	cellText       = 300 // characters of one cell

	describedColumns = 60
)

// datasetPage is the struct of templates/dataset.html.
type datasetPage struct {
	*Frame
	Heading     Shown
	Description Shown
	Publisher   Link
	Themes      []Link
	Keywords    []Link
	Withdrawn   bool
	Suspended   bool // no signature of the publisher holds at present
	Reason      Shown
	Passport    passportCard
	Previews    []previewBox
	MoreTables  string
	Finding     *figure
	Chart       *shownChart
	Split       string     // the badge of what is split by sex
	Lens        *lensBox   // women and men, where it is
	Unsplit     *breakdown // where it is not
	Updated     string
	Used        string // how often in twelve months, where that may be told
	Files       []fileRow
	FilesNote   string // why none can be taken here
	Fetch       string // the command that brings files which are not here
	History     Link
	Ask         string // where a question about it is asked; "" where none is
	Threads     []threadLine
	UsedBy      *usedBox // nil: nobody uses it, and nothing is taken
}

// fileRow is one file of a release.
type fileRow struct {
	Title  Shown
	Name   string // last part of its path
	Format string
	Size   string
	Sum    string // 64 hex digits
	Href   string
	Get    string // "Download prices.csv"
	Note   string // "not on this node, 3.2 MB", in place of the size
	// Columns say what stands in the file's columns, where its schema does.
	Columns   []columnRow
	ColumnsOf string // "9 columns"
}

// columnRow is one column in words.
type columnRow struct {
	Name        string // as the file spells it
	Title       Shown
	Description Shown
}

// columns says what each column of a table holds, in the reader's language.
func (v *visit) columns(fields []portal.Field) []columnRow {
	list := make([]columnRow, 0, len(fields))
	for _, f := range fields[:min(len(fields), describedColumns)] {
		c := columnRow{Name: clip(f.Name, 80), Title: v.text(f.Title), Description: v.text(f.Description)}
		c.Title.Text, c.Description.Text = clip(c.Title.Text, 200), clip(c.Description.Text, 600)
		list = append(list, c)
	}
	return list
}

// previewBox is the beginning of one table, or why it can't be shown.
type previewBox struct {
	Title Shown
	Href  string
	Table dataTable
	Note  string // instead of the table
	More  string // "3 more columns in the table"
}

// findDataset finds the dataset that the address names.
func (v *visit) findDataset() (portal.Dataset, error) {
	id, err := portal.ParseDatasetID(mux.Vars(v.r)["slug"])
	if err != nil {
		return portal.Dataset{}, errors.Join(portal.ErrNotFound, err)
	}
	d, err := v.view.Dataset(v.ctx, id)
	if err != nil {
		return d, fmt.Errorf("dataset %s: %w", id, err)
	}
	return d, nil
}

func (s *site) dataset(v *visit) (answer, error) {
	d, err := v.findDataset()
	if err != nil {
		return answer{}, err
	}
	return s.datasetAnswer(v, d)
}

// datasetAnswer shows a dataset; of a withdrawn one the reason, the passport
// and the history, as 410.
func (s *site) datasetAnswer(v *visit, d portal.Dataset) (answer, error) {
	p := &datasetPage{
		Frame: v.Frame, Heading: v.title(d), Description: v.text(d.Latest.Description),
		Publisher: v.publisherLink(d.Publisher), Passport: v.passport(d), Suspended: d.Suspended,
		Updated: v.T("hit.updated", "date", v.day(d.Latest.Issued)),
		History: Link{
			Shown: Shown{Text: v.T("dataset.history")}, Href: v.datasetURL(d.ID) + "/history",
			Count: v.N("history.count", max(1, len(d.History))),
		},
	}
	v.Title = p.Heading.Text
	v.Paper = v.paper(d)
	v.Crumbs = []Link{p.Publisher}
	for _, t := range d.Latest.Themes {
		if portal.IsTheme(t) {
			p.Themes = append(p.Themes, v.themeLink(t, ""))
		}
	}
	for _, k := range d.Latest.Keywords {
		p.Keywords = append(p.Keywords, Link{Shown: Shown{Text: clip(k, 80)}, Href: v.Base + "/search?q=" + url.QueryEscape(clip(k, 80))})
	}
	if w := d.Latest.Withdrawn; w != nil {
		p.Withdrawn, p.Reason = true, v.text(w.Reason)
		return answer{template: "dataset", data: p, status: http.StatusGone}, nil
	}
	if err := v.questions(p, d.ID); err != nil {
		return answer{}, err
	}
	var err error
	if p.Used, err = v.usedTimes(d.ID); err != nil {
		return answer{}, err
	}
	if p.UsedBy, err = v.usedBy(d.ID); err != nil {
		return answer{}, err
	}
	p.Files = v.files(d.ID, d.Latest)
	if v.Kiosk != nil {
		p.FilesNote = v.T("kiosk.nofiles")
	} else if slices.ContainsFunc(p.Files, func(f fileRow) bool { return f.Note != "" }) {
		p.Fetch = "koprik sync --fetch " + string(d.ID)
	}
	p.Previews, p.MoreTables = v.previews(d)
	p.Chart = v.firstChart(d)
	if p.Split = v.splitBadge(d.Latest); p.Split != "" {
		p.Lens = v.lens(d)
	}
	p.Unsplit = v.breakdown(d)
	if f, ok := v.finding(d); ok {
		f.Source = Link{}
		p.Finding = &f
	}
	return answer{template: "dataset", data: p}, nil
}

func (v *visit) files(id portal.DatasetID, r portal.Release) []fileRow {
	list := make([]fileRow, len(r.Resources))
	for i, f := range r.Resources {
		name := f.Path[strings.LastIndexByte(f.Path, '/')+1:]
		list[i] = fileRow{
			Title: v.resourceTitle(f), Name: name, Format: strings.ToUpper(f.Format),
			Size: v.Bytes(f.Bytes), Sum: f.Hash.Hex(), Href: fileURL(id, r.Number, f.Path),
			Get: v.T("dataset.get", "file", name),
		}
		if f.Schema != nil {
			list[i].Columns, list[i].ColumnsOf = v.columns(f.Schema.Fields), v.N("dataset.columns", len(f.Schema.Fields))
		}
		if held := v.site.o.Held; held != nil && !held(f.Hash) {
			list[i].Href, list[i].Size, list[i].Note = "", "", v.T("dataset.notheld", "size", list[i].Size)
		}
		if v.Kiosk != nil {
			list[i].Href = "" // a public screen keeps no files
		}
	}
	return list
}

// fileURL is where ui/api serves a release's file; it stays for ever.
func fileURL(id portal.DatasetID, release int, path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return "/dataset/" + url.PathEscape(string(id)) + "/release/" + strconv.Itoa(release) + "/" + strings.Join(parts, "/")
}

func (v *visit) resourceTitle(r portal.Resource) Shown {
	if t := v.text(r.Title); t.Text != "" {
		return t
	}
	return Shown{Text: r.Name}
}

// previews shows the first rows of the first tables. A table that can't be
// shown says why and leaves the rest of the page as it is.
func (v *visit) previews(d portal.Dataset) (boxes []previewBox, more string) {
	left := 0
	for _, r := range d.Latest.Resources {
		if len(boxes) == previewTables {
			if r.Schema != nil {
				left++
			}
			continue
		}
		box, ok := v.preview(d, r)
		if ok {
			boxes = append(boxes, box)
		}
	}
	if left > 0 {
		more = v.N("preview.more", left)
	}
	return boxes, more
}

// preview gives the beginning of the resource's first table; ok is false when
// it is none.
func (v *visit) preview(d portal.Dataset, r portal.Resource) (box previewBox, ok bool) {
	box = previewBox{Title: v.resourceTitle(r), Href: v.tableURL(d.ID, r.Name)}
	infos, err := v.view.Tables(v.ctx, r)
	if err == nil && len(infos) == 0 {
		return box, false
	}
	var page portal.RowPage
	var names []string
	if err == nil {
		names = previewNames(infos[0].Columns, v.lang)
		page, err = v.view.Rows(v.ctx, r, infos[0].Sheet, portal.RowQuery{Columns: names, Limit: previewRows})
	}
	switch {
	case errors.Is(err, portal.ErrNotHeld):
		box.Href, box.Note = "", v.T("preview.notheld", "size", v.Bytes(r.Bytes))
		return box, r.Schema != nil
	case err != nil:
		v.site.log.ErrorContext(v.ctx, "preview", "dataset", d.ID, "resource", r.Name, "err", err)
		box.Href, box.Note = "", v.T("preview.broken")
		return box, true
	}
	box.Table = v.tableOf(page)
	box.Table.Caption = v.N("preview.first", len(page.Rows), "total", page.Total)
	if page.Total <= int64(len(page.Rows)) {
		box.Table.Caption = v.N64("preview.rows", page.Total)
	}
	var notes []string
	if hidden := len(infos[0].Columns) - len(names); hidden > 0 {
		notes = append(notes, v.N("preview.columns", hidden))
	}
	if sheets := len(infos) - 1; sheets > 0 {
		notes = append(notes, v.N("preview.sheets", sheets))
	}
	box.More = strings.Join(notes, " ")
	return box, true
}

// endings are how columns that say the same in several languages are named:
// region_uz, region_ru.
var endings = map[portal.Lang]string{
	portal.Uzbek: "_uz", portal.UzbekCyrillic: "_uz_cyrl", portal.Karakalpak: "_kaa", portal.Russian: "_ru", portal.English: "_en",
}

// previewNames chooses the first columns for a preview; of those that say the
// same in several languages only the reader's, in the place of the first.
func previewNames(columns []portal.Field, l portal.Lang) []string {
	var names []string
	seen := map[string]bool{}
	for _, c := range columns {
		name := c.Name
		for _, ending := range endings {
			stem, ok := strings.CutSuffix(c.Name, ending)
			if !ok || !hasColumn(columns, stem+endings[l]) {
				continue
			}
			name = stem + endings[l]
		}
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names[:min(len(names), previewColumns)]
}

func (v *visit) tableURL(id portal.DatasetID, name string) string {
	return v.datasetURL(id) + "/table/" + url.PathEscape(name)
}

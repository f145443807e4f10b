package site

import (
	"time"

	"koprik/portal"
	"koprik/ui/locale"
)

// componentsPage is the struct of templates/components.html: every part of the
// pages with samples, for those who work on the look. It is served only where
// Options.Development says so.
type componentsPage struct {
	*Frame
	States    []StateLine // in every grade
	Figure    figure
	Hit       Hit
	Withdrawn Hit
	Passport  passportCard
	Bare      passportCard // of data that came with nothing
	Facet     FacetBox
	Table     dataTable
	Pager     Pager
	Problem   problemBox
	Done      doneBox
	File      fileRow
	Tile      Link
	QR        Value
	Question  figure
	Marked    Hit       // as a search shows it
	Region    regionBox // with one chosen
	Void      []Link
	Chosen    []Link
	Columns   []columnRow
	Slide     figure // of a kiosk's first page
}

// doneBox says that something was done, with its reference and what happens
// next. It is the struct of the template "done".
type doneBox struct {
	Title, Code, Next string
}

const day = 24 * time.Hour

// components shows all parts with samples in the reader's language.
func (s *site) components(v *visit) (answer, error) {
	v.Title = "Components"
	d := sampleDataset(v.now)
	bare := d
	bare.Latest.Passport, bare.Publisher.Contacts = portal.Passport{Uploaded: d.Latest.Passport.Uploaded}, nil
	gone := d
	gone.Latest.Withdrawn = &portal.Withdrawal{Reason: portal.PlainText("…")}
	rows := portal.RowPage{Total: 2, Columns: []portal.Field{
		{Name: "region", Title: portal.PlainText("Hudud")},
		{Name: "year", Type: "year", Title: portal.PlainText("Yil")},
		{Name: "women", Type: "integer", Title: portal.PlainText("Ayollar")},
		{Name: "men", Type: "integer", Title: portal.PlainText("Erkaklar")},
	}, Rows: [][]any{{"Xorazm viloyati", int64(2021), int64(941_800), int64(951_500)}, {"Toshkent shahri", int64(2021), nil, int64(1_298_100)}}}
	p := &componentsPage{
		Frame: v.Frame, Hit: v.hit(d), Withdrawn: v.hit(gone), Passport: v.passport(d), Bare: v.passport(bare),
		Figure: figure{Number: v.Float(37543.2), Measure: Shown{Text: "Doimiy aholi, ming kishi", Tag: "uz"}, Where: v.T("finding.country") + " · " + v.T("finding.year", "year", "2025")},
		Facet: FacetBox{Name: "theme", Label: v.Facet(portal.FacetTheme), Options: []Choice{
			{Value: "health", Label: Shown{Text: v.Theme("health")}, Count: "12", On: true},
			{Value: "energy", Label: Shown{Text: v.Theme("energy")}, Count: "3"},
		}},
		Table: v.tableOf(rows), Pager: Pager{Text: v.T("page.of", "page", 2, "pages", 3), Previous: "#pager", Next: "#pager"},
		Problem: problemBox{Title: v.T("error.summary"), Items: []Link{{Shown: Shown{Text: v.T("error.badcolumn", "got", "narx")}, Href: "#f"}}},
		Done:    doneBox{Title: v.T("node.ok"), Code: "K7-4Q-9M", Next: v.T("help.who1")},
		File:    fileRow{Name: "aholi.csv", Format: "CSV", Size: v.Bytes(48_213), Href: "#file", Get: v.T("dataset.get", "file", "aholi.csv")},
		Tile:    v.themeLink("health", "12"),
		QR:      Value{Shown: Shown{Text: "https://example.uz/method"}, QR: qrOf("https://example.uz/method", v.T("kiosk.qr"))},
	}
	v.sampleRegion(p)
	v.sampleSearch(p, d)
	for _, age := range []time.Duration{0, 12 * day, 400 * day} {
		state := portal.CopyState{Generation: 12, AsOf: v.now.Add(-age), Expires: v.now.Add(7*day - age)}
		p.States = append(p.States, v.stateLine(state))
	}
	p.States = append(p.States, v.stateLine(portal.CopyState{}))
	return answer{template: "components", data: p}, nil
}

// sampleRegion fills the parts about places and questions.
func (v *visit) sampleRegion(p *componentsPage) {
	p.Question = figure{
		Question: v.Question(locale.AskPopulation, country), Number: v.Float(38236.7), Measure: Shown{Text: "Doimiy aholi, ming kishi", Tag: "uz"},
		Where: v.T("finding.year", "year", "2026"), Computed: v.T("finding.computed"), Source: Link{Shown: Shown{Text: "Doimiy aholi soni", Tag: "uz"}, Href: "#question"},
	}
	p.Slide = p.Question
	p.Slide.Tag = v.Tag()
	p.Region = regionBox{
		Tiles: v.tiles("UZ-XO"), All: Link{Shown: Shown{Text: v.T("home.regionall")}, Href: "#region"},
		Figures: []figure{p.Question, p.Question},
	}
	p.Region.Name, _ = v.FacetValue(portal.FacetRegion, "UZ-XO")
}

// sampleSearch fills the parts of a search.
func (v *visit) sampleSearch(p *componentsPage, d portal.Dataset) {
	p.Marked = v.hit(d)
	v.mark(&p.Marked, d, portal.Hit{Words: []string{"aholi"}, Matched: []string{"title", "column", "value"}})
	p.Marked.Answer = &p.Question
	p.Void = []Link{v.themeLink("energy", ""), v.themeLink("transport", "")}
	p.Chosen = []Link{{Shown: Shown{Text: v.Theme("health")}, Href: "#chosen"}}
	p.Columns = v.columns([]portal.Field{
		{Name: "region_uz", Title: portal.PlainText("Hudud")},
		{Name: "population_thousand", Title: portal.PlainText("Doimiy aholi, ming kishi"), Description: portal.PlainText("Yil boshiga doimiy aholi soni.")},
	})
}

// sampleDataset has a passport from which two items are missing.
func sampleDataset(now time.Time) portal.Dataset {
	yes := true
	return portal.Dataset{
		ID: "main_population", Manifest: portal.DigestOf(nil),
		Publisher: portal.Publisher{ID: "main", Title: portal.PlainText("Namoyish idorasi"), Contacts: []portal.Contact{
			{ID: "data", Post: portal.PlainText("Maʼlumotlar boʻyicha masʼul"), Email: "data@example.uz", Phone: "+998 71 202 80 00", Since: "2024-02-01"},
		}},
		Latest: portal.Release{
			Dataset: "main_population", Number: 3, Issued: now, Title: portal.PlainText("Oʻzbekiston aholisi soni"),
			Description: portal.PlainText("Yil boshiga doimiy aholi soni, hududlar va jins boʻyicha."),
			Licenses:    []portal.License{{Name: "CC-BY-4.0", Path: "https://creativecommons.org/licenses/by/4.0/"}},
			Resources:   []portal.Resource{{Name: "aholi", Format: "csv"}},
			Passport: portal.Passport{
				Contact: "data", Uploaded: "2026-05-03", FirstPublished: "2019-01-15", LastChanged: "2026-05-03", NextDue: "2026-06-01",
				Periodicity: portal.Annual, Notes: []portal.Text{portal.PlainText("2026-yil maʼlumoti dastlabki."), portal.PlainText("Hududlar yigʻindisi respublika soniga teng.")}, Unit: portal.PlainText("ming kishi"), Method: portal.PlainText("Tugʻilish, oʻlim va koʻchish boʻyicha hisob"),
				BySex: &yes, Classifiers: []portal.Text{portal.PlainText("SOATO")},
			},
		},
	}
}

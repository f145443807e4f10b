package site

import (
	"fmt"
	"strings"
	"time"

	"koprik/portal"
)

func digest(s string) portal.Digest { return portal.DigestOf([]byte(s)) }

func in(pairs ...string) portal.Text {
	t := portal.Text{Plain: pairs[1], Translated: map[portal.Lang]string{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		t.Translated[portal.Lang(pairs[i])] = pairs[i+1]
	}
	return t
}

// catalogue is what a small demonstration node holds: a dataset with a whole
// passport, a workbook, one without passport, one withdrawn, one hostile, and
// enough plain ones for a second page.
func catalogue() *fakeView {
	f := &fakeView{
		state: portal.CopyState{
			Generation: 12, AsOf: time.Date(2026, 10, 12, 6, 0, 0, 0, time.UTC),
			Expires: time.Date(2026, 10, 19, 6, 0, 0, 0, time.UTC), Repository: digest("root"),
		},
		publishers: publishers(),
		tables:     map[portal.Digest][]fakeTable{},
		releases:   map[string]portal.Release{},
		changes:    map[string]portal.TableChange{},
	}
	f.addPopulation()
	f.addWorkbook()
	f.addRest()
	f.addFacts()
	f.addChange(aChange())
	return f
}

func publishers() []portal.Publisher {
	return []portal.Publisher{
		{
			ID: "main", Version: 2, Title: in("uz", "Namoyish idorasi", "ru", "Демонстрационный издатель", "en", "Demonstration publisher"),
			Description: in("uz", "Namoyish uchun maʼlumotlar. Haqiqiy idora emas."),
			Homepage:    "https://example.uz/",
			Default:     "data",
			Contacts: []portal.Contact{
				{
					ID: "prices", Post: in("uz", "Narxlar statistikasi boʻlimi boshligʻi", "ru", "Начальник отдела статистики цен", "en", "Head of price statistics"),
					Unit: in("uz", "Narxlar statistikasi boʻlimi"), Name: portal.PlainText("A. Karimova"),
					Email: "prices@example.uz", Phone: "+998 71 202 80 00", Since: "2024-02-01",
				},
				{ID: "data", Post: in("uz", "Maʼlumotlar boʻyicha masʼul", "en", "Data officer"), Email: "data@example.uz"},
				{ID: "old", Post: in("en", "Former head"), Email: "old@example.uz", Until: "2023-12-31"},
			},
		},
		{ID: "water", Version: 1, Title: in("uz-Cyrl", "Сув хўжалиги бошқармаси"), Default: "desk", Contacts: []portal.Contact{
			{ID: "desk", Post: in("ru", "Дежурный"), Email: "desk@example.uz"},
		}},
	}
}

func (f *fakeView) addPopulation() {
	yes := true
	csv := portal.Resource{
		Name: "population", Path: "data/aholi soni.csv", Title: in("uz", "Aholi soni hududlar boʻyicha", "ru", "Население по регионам", "en", "Population by region"),
		Format: "csv", MediaType: "text/csv", Bytes: 48_213, Hash: digest("population"), Schema: &portal.TableSchema{},
	}
	pdf := portal.Resource{Name: "method", Path: "method.pdf", Format: "pdf", Bytes: 1_400_000, Hash: digest("pdf")}
	r := portal.Release{
		Dataset: "main_population", Number: 3, Issued: time.Date(2026, 10, 11, 20, 30, 0, 0, time.UTC),
		Reason:      in("uz", "Xorazm viloyati tuzatildi", "en", "Khorezm corrected"),
		Title:       in("uz", "Oʻzbekiston aholisi soni", "ru", "Численность населения Узбекистана", "en", "Population of Uzbekistan"),
		Description: in("uz", "Yil boshiga doimiy aholi soni.\nMing kishida, hududlar va jins boʻyicha.", "ru", "Постоянное население на начало года.\nТысяч человек, по регионам и полу."),
		Keywords:    []string{"aholi", "население", "population"}, Themes: []portal.ThemeID{"population", "regions"},
		Licenses: []portal.License{{Name: "CC-BY-4.0", Title: "Creative Commons Attribution 4.0", Path: "https://creativecommons.org/licenses/by/4.0/"}},
		Sources:  []portal.Source{{Title: "Aholi roʻyxati", Path: "https://example.uz/register"}},
		Homepage: "https://example.uz/population", Version: "2026.1",
		Passport: portal.Passport{
			Contact: "prices", Uploaded: "2026-05-03", FirstPublished: "2019-01-15", LastChanged: "2026-10-12", NextDue: "2026-10-01",
			Periodicity: portal.Annual, Unit: in("uz", "ming kishi", "ru", "тысяч человек", "en", "thousand people"), Indicator: "1.02.01.0001",
			Classifiers: []portal.Text{in("uz", "SOATO")}, Method: in("uz", "Tugʻilish, oʻlim va koʻchish boʻyicha hisob"),
			MethodURL: portal.PlainText("https://example.uz/method"), PrimarySource: in("uz", "Maʼmuriy maʼlumotlar"),
			CompiledBy: in("uz", "Statistika boshqarmasi"), Quality: in("uz", "Hududlar yigʻindisi bilan solishtirilgan"),
			Notes: []portal.Text{in("uz", "2026-yil maʼlumoti dastlabki")}, BySex: &yes,
		},
		Resources: []portal.Resource{csv, pdf},
	}
	columns := []portal.Field{
		{Name: "soato", Type: "integer", Title: in("uz", "SOATO kodi", "ru", "Код СОАТО", "en", "SOATO code"), Meaning: portal.Meaning{Role: portal.RoleRegion, Kind: portal.KindSOATO, Confidence: 100}},
		{Name: "region", Type: "string", Title: in("uz", "Hudud", "ru", "Регион", "en", "Region"), Meaning: portal.Meaning{Role: portal.RoleRegion, Kind: portal.KindName, Lang: portal.Uzbek, SameAs: "soato", Confidence: 100}},
		{Name: "year", Type: "integer", Title: in("uz", "Yil", "ru", "Год", "en", "Year"), Meaning: portal.Meaning{Role: portal.RoleTime, Kind: portal.KindYear, Confidence: 100}},
		{Name: "people", Type: "number", Title: in("uz", "Jami, ming kishi", "ru", "Всего, тысяч", "en", "All, thousand"), Meaning: portal.Meaning{Role: portal.RoleMeasure, Unit: "ming kishi", Additive: true, Confidence: 100}},
		{Name: "women", Type: "number", Title: in("uz", "Ayollar", "ru", "Женщины", "en", "Women")},
		{Name: "final", Type: "boolean"},
	}
	var rows [][]any
	codes := []int64{1735, 1703, 1706, 1708, 1733, 1726}
	for i, region := range []string{"Qoraqalpogʻiston Respublikasi", "Andijon viloyati", "Buxoro viloyati", "Jizzax viloyati", "Xorazm viloyati", "Toshkent shahri"} {
		for year := 2010; year < 2026; year++ {
			rows = append(rows, []any{codes[i], region, int64(year), 1893.3 + float64(100*i+year), any(nil), year < 2025})
		}
	}
	f.tables[csv.Hash] = []fakeTable{{info: portal.TableInfo{Resource: "population", Columns: columns, Rows: int64(len(rows))}, rows: rows}}
	f.add(r, "Aholi roʻyxati bilan tenglashtirildi", 3)
}

func (f *fakeView) addWorkbook() {
	book := portal.Resource{Name: "prices.xlsx", Path: "prices.xlsx", Format: "xlsx", Bytes: 912_000, Hash: digest("book"), Schema: &portal.TableSchema{}}
	away := portal.Resource{Name: "archive", Path: "archive.csv", Format: "csv", Bytes: 2_300_000_000, Hash: digest("away"), Schema: &portal.TableSchema{}}
	broken := portal.Resource{Name: "broken", Path: "broken.csv", Format: "csv", Bytes: 10, Hash: digest("broken"), Schema: &portal.TableSchema{}}
	var columns []portal.Field
	for i := range 14 {
		columns = append(columns, portal.Field{Name: fmt.Sprintf("month %d", i+1), Type: "number"})
	}
	row := make([]any, len(columns))
	for i := range row {
		row[i] = 1234567.5 + float64(i)
	}
	f.tables[book.Hash] = []fakeTable{
		{info: portal.TableInfo{Resource: book.Name, Sheet: "2025", Columns: columns, Rows: 1, Notes: []string{"row 3 was taken as the heading"}}, rows: [][]any{row}},
		{info: portal.TableInfo{Resource: book.Name, Sheet: "2024 & oldin", Columns: columns, Rows: 0}},
	}
	f.tables[away.Hash] = []fakeTable{{err: fmt.Errorf("object: %w", portal.ErrNotHeld)}}
	f.tables[broken.Hash] = []fakeTable{{err: fmt.Errorf("disk on fire")}}
	f.add(portal.Release{
		Dataset: "main_prices", Number: 1, Issued: now.Add(-30 * 24 * time.Hour), Title: in("ru", "Цены на продукты"),
		Themes: []portal.ThemeID{"economy", "agriculture"}, Passport: portal.Passport{Contact: "data", FromPublisher: true, Uploaded: "2026-09-14"},
		Resources: []portal.Resource{book, away, broken},
	}, "", 1)
}

func (f *fakeView) addRest() {
	f.add(portal.Release{
		Dataset: "water_canals", Number: 2, Issued: now.Add(-24 * time.Hour), Title: in("uz-Cyrl", "Суғориш каналлари рўйхати"),
		Description: in("uz-Cyrl", "Каналлар узунлиги ва сув сарфи."), Themes: []portal.ThemeID{"agriculture", "environment"},
		Passport:  portal.Passport{Contact: "desk", Uploaded: "2026-10-01"},
		Withdrawn: &portal.Withdrawal{Reason: in("ru", "Опубликовано по ошибке", "uz", "Xato bilan eʼlon qilingan")},
	}, "", 2)
	f.add(hostile(), "", 1)
	for i := range 25 {
		f.add(portal.Release{
			Dataset: portal.DatasetID(fmt.Sprintf("main_set-%02d", i)), Number: 1, Issued: now.Add(-time.Duration(i) * 24 * time.Hour),
			Title: in("uz", fmt.Sprintf("Maktablar roʻyxati %d", i)), Themes: []portal.ThemeID{"education"},
			Passport: portal.Passport{Contact: "data", Uploaded: "2026-01-01"},
		}, "", 1)
	}
}

// hostile has markup and scripts wherever a publisher may write.
func hostile() portal.Release {
	const evil = `<script>alert(1)</script><img src=x onerror=alert(2)>" onmouseover="alert(3)`
	return portal.Release{
		Dataset: "main_hostile", Number: 1, Issued: now, Title: portal.PlainText(evil), Description: portal.PlainText(evil),
		Reason: portal.PlainText(evil), Keywords: []string{evil, "a&b=c"}, Version: evil, Homepage: "javascript:alert(4)",
		Licenses: []portal.License{{Name: evil, Path: "data:text/html,x"}},
		Sources:  []portal.Source{{Title: evil, Path: "JaVaScRiPt:alert(5)"}, {Title: "x", Email: "a@b.uz?bcc=evil@x"}},
		Passport: portal.Passport{
			Contact: "data", Uploaded: "2026-01-01", MethodURL: portal.PlainText("vbscript:x"), Unit: portal.PlainText(evil),
			Notes: []portal.Text{portal.PlainText(evil)},
		},
		Resources: []portal.Resource{{Name: "evil", Path: `a/"><script>.csv`, Format: "<b>", Title: portal.PlainText(evil), Hash: digest("evil"), Bytes: 1}},
	}
}

// add makes a dataset of a release, with a history down to 1.
func (f *fakeView) add(r portal.Release, reason string, releases int) {
	d := portal.Dataset{ID: r.Dataset, Latest: r, Manifest: digest(string(r.Dataset)), Length: 2000, Signers: []string{strings.Repeat("0123456789abcdef", 4)}}
	for _, p := range f.publishers {
		if p.ID == r.Dataset.Publisher() {
			d.Publisher = p
		}
	}
	for n := releases; n >= 1; n-- {
		ref := portal.ReleaseRef{Number: n, Issued: r.Issued.AddDate(-(releases - n), 0, 0), Manifest: digest(fmt.Sprint(r.Dataset, n))}
		if n == r.Number {
			ref.Reason = r.Reason
		} else if reason != "" {
			ref.Reason = in("uz", reason)
			f.releases[fmt.Sprintf("%s/%d", r.Dataset, n)] = portal.Release{Dataset: r.Dataset, Number: n, Resources: r.Resources[:1]}
		}
		d.History = append(d.History, ref)
	}
	f.datasets = append(f.datasets, d)
}

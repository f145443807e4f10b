package demo

import "koprik/portal"

// Reuse is an example of something made with the data: nobody has made it, and it
// says so. It was published Shown days ago; CheckIns say how it was so many days ago,
// oldest first.
type Reuse struct {
	Details  portal.ReuseDetails
	Shown    int
	CheckIns []CheckIn
}

// CheckIn says how a reuse was so many days ago.
type CheckIn struct {
	Ago   int
	State portal.ReuseState
}

// ReuseCohort is the example of a hackathon. It ended 400 days ago.
var ReuseCohort = portal.Cohort{
	ID: "namuna-xakaton", Entries: 8,
	Title: five("Namuna xakatoni (misol)", "Úlgi xakatonı (mısal)", "Пробный хакатон (пример)", "Sample hackathon (example)"),
}

// CohortEnded is how many days ago it ended.
const CohortEnded = 400

// madeBy names nobody.
const madeBy = "Example organisation (misol · пример)"

// five is a text in the languages that are written by hand; Cyrillic Uzbek is made
// from the Latin.
func five(uz, kaa, ru, en string) portal.Text {
	return portal.Text{Translated: map[portal.Lang]string{portal.Uzbek: uz, portal.Karakalpak: kaa, portal.Russian: ru, portal.English: en}}
}

// Reuses are examples, so that the page of reuses shows each state.
func Reuses() []Reuse {
	of := func(kind portal.ReuseKind, link string, title, summary portal.Text, uses ...portal.DatasetID) portal.ReuseDetails {
		d := portal.ReuseDetails{Kind: kind, Title: title, Summary: summary, Link: link, By: madeBy, Consent: true, Cohort: ReuseCohort.ID}
		for _, id := range uses {
			d.Uses = append(d.Uses, portal.ReuseSource{Dataset: id, Release: 1})
		}
		return d
	}
	return []Reuse{
		{
			Details: of(portal.ReuseVisualization, "https://example.org/aholi-xaritasi",
				five("Aholi xaritasi (misol)", "Xalıq kartası (mısal)", "Карта населения (пример)", "Population map (example)"),
				five("Har bir hududda aholi soni qanday oʻzgarganini koʻrsatadi. Bu misol: bunday ilova yoʻq.",
					"Hár bir aymaqta xalıq sanınıń qalay ózgergenin kórsetedi. Bul mısal: bunday qosımsha joq.",
					"Показывает, как менялась численность населения в каждом регионе. Это пример: такого приложения нет.",
					"Shows how the population of each region has changed. This is an example: there is no such application."),
				"demo_population-by-region"),
			Shown: 380, CheckIns: []CheckIn{{300, portal.ReuseAlive}, {200, portal.ReuseAlive}, {110, portal.ReuseAlive}, {20, portal.ReuseAlive}},
		},
		{
			Details: of(portal.ReuseTeaching, "https://example.org/maktab-darsi",
				five("Maktab uchun statistika darsi (misol)", "Mektep ushın statistika sabaǵı (mısal)", "Урок статистики для школы (пример)", "A lesson in statistics for schools (example)"),
				five("Oʻquvchilar maktablar haqidagi raqamlardan diagramma chizadi. Bu misol: bunday dars yoʻq.",
					"Oqıwshılar mektepler haqqındaǵı sanlardan diagramma sızadı. Bul mısal: bunday sabaq joq.",
					"Ученики строят диаграммы по данным о школах. Это пример: такого урока нет.",
					"Pupils draw charts of figures about schools. This is an example: there is no such lesson."),
				"demo_general-schools"),
			Shown: 385, CheckIns: []CheckIn{{290, portal.ReuseAlive}, {150, portal.ReuseAlive}, {40, portal.ReuseAdopter}},
		},
		{
			Details: of(portal.ReuseApplication, "https://example.org/shifokor-topar",
				five("Shifokorlar yetarlimi? (misol)", "Shıpakerler jeterli me? (mısal)", "Хватает ли врачей? (пример)", "Are there enough doctors? (example)"),
				five("Hududlarni shifokorlar soni boʻyicha solishtiradi. Bu misol: bunday ilova yoʻq.",
					"Aymaqlardı shıpakerler sanı boyınsha salıstıradı. Bul mısal: bunday qosımsha joq.",
					"Сравнивает регионы по числу врачей. Это пример: такого приложения нет.",
					"Compares regions by the number of doctors. This is an example: there is no such application."),
				"demo_doctors-by-region", "demo_population-by-region"),
			Shown: 390, CheckIns: []CheckIn{{310, portal.ReuseAlive}},
		},
	}
}

package siat

import (
	"fmt"
	"strings"
	"unicode"

	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/portal/lang"
)

// field is what a line of the metadata says.
type field uint8

const (
	unknown field = iota
	firstPublished
	lastChanged
	code
	name
	periodicity
	unit
	classifiers
	methodology
	methodBrief
	compiledBy
	department
	officer
	phone
	email
	primarySource
	note
)

// labels are the lines' labels as seen in real files, in English, Russian and
// Uzbek. They are compared folded: script, case, apostrophes, colons and
// look-alike letters make no difference.
var labels = map[field][]string{
	firstPublished: {"Date of first publication", "Дата первой публикации", "Birinchi chop etilgan sana"},
	lastChanged:    {"Last modified date", "Дата последнего изменения", "Soʻnggi oʻzgartirilgan sana"},
	code:           {"Indicator identification number (code)", "Идентификационный номер индикатора (код)", "Maʼlumotlar toʻplami identifikatsiya raqami (kodi)"},
	name:           {"Indicator name", "Имя индикатора", "Maʼlumotlar toʻplami nomi"},
	periodicity:    {"Periodicity", "Периодичность", "Davriyligi"},
	unit:           {"Unit of measurement", "Единица измерения", "Oʻlchov birligi"},
	classifiers:    {"Classifiers", "Classifier", "Классификаторы", "Классификатор", "Klassifikatorlar", "Klassifikator"},
	methodology:    {"Calculation methodology", "Методы расчета", "Методология расчета", "Hisoblash metodikasi"},
	methodBrief:    {"Calculation methodology (briefly)", "Методы расчета (сокращенно)", "Методология расчета (кратко)", "Hisoblash metodikasi (qisqacha)"},
	compiledBy: {
		"Official statistics preparer", "Составитель официальной статистики", "Rasmiy statistika tayyorlovchi",
		"Name of the organization that carried out the calculation", "Название организации, осуществивший расчёт", "Hisob kitobni amalga oshirgan tashkilot nomi",
	},
	department:    {"Name of department", "Ответственное управление", "Masʼul boshqarma nomi"},
	officer:       {"Responsible officer name", "Ответственный сотрудник ФИО", "Masʼul hodim FIO", "Masʼul xodim FIO"},
	phone:         {"Phone number", "Номер телефона", "Telefon raqami"},
	email:         {"Email", "E-mail", "Электронная почта", "Elektron pochta"},
	primarySource: {"Primary source of information", "Первичный источник информации", "Birlamchi maʼlumot manbasi"},
	note:          {"Note", "Примечание", "Izoh"},
}

// folded finds a field by its folded label.
var folded = func() map[string]field {
	m := map[string]field{}
	for f, words := range labels {
		for _, w := range words {
			m[fold(w)] = f
		}
	}
	return m
}()

func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, lang.Fold(s))
}

func (i item) field() field {
	for _, label := range []word{i.NameEn, i.NameRu, i.NameUz, i.NameUzc} {
		if f, ok := folded[fold(string(label))]; ok {
			return f
		}
	}
	return unknown
}

// draft makes a draft of all that was read.
func (r *reader) draft(original []byte) (datapackage.Draft, error) {
	d := datapackage.Draft{HasPassport: true}
	c := portal.Contact{}
	for _, i := range r.items {
		if i.value().IsZero() {
			continue
		}
		if err := take(&d, &c, i); err != nil {
			return d, err
		}
	}
	p := &d.Release.Passport
	switch {
	case p.Indicator == "":
		return d, fmt.Errorf("metadata: the indicator's code is missing")
	case d.Release.Title.IsZero():
		return d, fmt.Errorf("metadata: the indicator's name is missing")
	case len(r.table.cells) == 0:
		return d, fmt.Errorf("data: there are no figures")
	}
	if d.Name = datasetName(p.Indicator); d.Name == "" {
		return d, fmt.Errorf("metadata: %.60q is no code", p.Indicator)
	}
	if p.Uploaded = p.LastChanged; p.Uploaded == "" {
		p.Uploaded = p.FirstPublished
	}
	answer(&d, c)
	figures, schema, err := r.table.csv()
	if err != nil {
		return d, fmt.Errorf("data: %w", err)
	}
	d.Release.Sources = []portal.Source{{Title: "SIAT", Path: "https://siat.stat.uz/"}}
	d.Release.Resources = []portal.Resource{
		{Name: "table", Path: d.Name + ".csv", Format: "csv", MediaType: "text/csv", Encoding: "utf-8", Schema: schema},
		{Name: "original", Path: d.Name + ".json", Format: "json", MediaType: "application/json", Encoding: "utf-8"},
	}
	d.Files = []datapackage.DraftFile{{Inline: figures}, {Inline: original}}
	return d, nil
}

// answer says who answers for the figures, when the file does. SIAT names a
// person and a department; where it names no person the department stands for
// the post.
func answer(d *datapackage.Draft, c portal.Contact) {
	if c.Name.IsZero() && c.Unit.IsZero() && c.Email == "" {
		return
	}
	if c.Name.IsZero() {
		c.Post = c.Unit
	}
	c.ID = datapackage.ContactID(c)
	d.Contact, d.Release.Passport.Contact = &c, c.ID
}

// take puts one line of the metadata where it belongs; a line that nobody
// knows becomes a note.
func take(d *datapackage.Draft, c *portal.Contact, i item) (err error) {
	p, v := &d.Release.Passport, i.value()
	switch i.field() {
	case firstPublished:
		p.FirstPublished, err = day(i)
	case lastChanged:
		p.LastChanged, err = day(i)
	case code:
		p.Indicator = v.Plain
	case name:
		if d.Release.Title.IsZero() {
			d.Release.Title = oneLine(v)
		} else if !v.Equal(d.Release.Title) { // a second name explains the first
			d.Release.Description = v
		}
	case periodicity:
		if p.Periodicity = spoken(v); p.Periodicity == "" {
			p.Notes = append(p.Notes, labelled(i))
		}
	case unit:
		p.Unit = v
	case classifiers:
		p.Classifiers = append(p.Classifiers, v)
	case methodology:
		switch {
		case addresses(v):
			p.MethodURL = v
		case p.Method.IsZero():
			p.Method = v
		default:
			p.Notes = append(p.Notes, labelled(i))
		}
	case methodBrief:
		p.Method = v
	case compiledBy:
		p.CompiledBy = v
	case department:
		c.Unit = oneLine(v)
	case officer:
		c.Name = oneLine(v)
	case phone:
		c.Phone = v.Plain
	case email:
		c.Email = mailbox(v.Plain)
	case primarySource:
		p.PrimarySource = v
	case note:
		p.Notes = append(p.Notes, v)
	default:
		p.Notes = append(p.Notes, labelled(i))
	}
	return err
}

func day(i item) (portal.Date, error) {
	d, err := datapackage.ParseDay(i.value().Plain)
	if err != nil {
		return "", fmt.Errorf("metadata: %s: %w", i.label().Plain, err)
	}
	return d, nil
}

// spoken understands a periodicity in whichever language it can.
func spoken(t portal.Text) portal.Periodicity {
	for _, s := range t.All() {
		if p, err := datapackage.ParsePeriodicity(s); err == nil {
			return p
		}
	}
	return ""
}

func addresses(t portal.Text) bool {
	for _, s := range t.All() {
		if portal.CheckURL(s) != nil {
			return false
		}
	}
	return true
}

// mailbox picks the first address where a line has several.
func mailbox(s string) string {
	for _, m := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" ,;/\n\t", r) }) {
		if portal.CheckEmail(m) == nil {
			return m
		}
	}
	return s
}

func oneLine(t portal.Text) portal.Text {
	return mapped(t, func(_ portal.Lang, s string) string { return spaced(s) })
}

func spaced(s string) string { return strings.NewReplacer("\n", " ", "\t", " ").Replace(s) }

// labelled keeps a line whole: "label: value" in every language.
func labelled(i item) portal.Text {
	label := i.label()
	return mapped(i.value(), func(l portal.Lang, s string) string {
		if name, _ := label.In(l); name != "" {
			return strings.TrimRight(spaced(name), " :") + ": " + s
		}
		return s
	})
}

// mapped changes every wording; the plain one changes as its language does.
func mapped(t portal.Text, change func(portal.Lang, string) string) portal.Text {
	var parts [4]string
	for i, l := range []portal.Lang{portal.Uzbek, portal.UzbekCyrillic, portal.Russian, portal.English} {
		if s := t.Translated[l]; s != "" {
			parts[i] = change(l, s)
		}
	}
	return inFour(parts[0], parts[1], parts[2], parts[3])
}

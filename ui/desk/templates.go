package desk

import (
	"errors"
	"net/http"
	"strconv"

	"koprik/portal"
)

// TemplatesPage is the struct of templates.html.
type TemplatesPage struct {
	*Frame
	List      []Template
	MayChange bool
	Typed     portal.AnswerTemplate
	Langs     []Choice
	MaxAnswer int
}

// Template is one answer given often.
type Template struct{ Title, Tag, Language, Text string }

// templateLinks are the templates of the account's publisher, as they go into the
// answer of a case.
func (v *visit) templateLinks(c *portal.Case) (links []List, err error) {
	all, err := v.desk.o.Templates.Templates(v.r.Context(), v.account.Publisher)
	for i, t := range all {
		links = append(links, List{Text: t.Title + " · " + v.languageName(t.Lang), Href: "/desk/inquiry/" + c.Inquiry.ID.String() + "?template=" + strconv.Itoa(i+1)})
	}
	return links, err
}

func (v *visit) languageName(l portal.Lang) string { return v.desk.words.Words(l).T("lang.self") }

// fromTemplate begins an answer with the template that the address names, if there
// is one.
func (v *visit) fromTemplate(typed *Typed) error {
	i, err := strconv.Atoi(v.r.URL.Query().Get("template"))
	if err != nil {
		return nil //nolint:nilerr // none is named
	}
	all, err := v.desk.o.Templates.Templates(v.r.Context(), v.account.Publisher)
	if err == nil && i >= 1 && i <= len(all) {
		typed.Answer, typed.Lang = all[i-1].Text, all[i-1].Lang
	}
	return err
}

func (v *visit) templatesPage() error {
	return v.showTemplates(http.StatusOK, portal.AnswerTemplate{Lang: v.lang}, nil)
}

func (v *visit) showTemplates(status int, typed portal.AnswerTemplate, problems []string) error {
	all, err := v.desk.o.Templates.Templates(v.r.Context(), v.account.Publisher)
	if err != nil {
		return err
	}
	p := TemplatesPage{Frame: v.frame(v.T("desk.templates")), Typed: typed, MayChange: routers.admits(v.account), MaxAnswer: portal.MaxAnswerText}
	p.Problems = problems
	for _, t := range all {
		p.List = append(p.List, Template{Title: t.Title, Tag: string(t.Lang), Language: v.languageName(t.Lang), Text: t.Text})
	}
	for _, l := range portal.Langs {
		p.Langs = append(p.Langs, Choice{Value: l.Path(), Text: v.languageName(l), Chosen: l == typed.Lang})
	}
	return v.render(status, "templates", p)
}

// changeTemplates adds one, or takes one away.
func (v *visit) changeTemplates() error {
	t := portal.AnswerTemplate{Title: v.field("title"), Text: v.field("text")}
	var err error
	if t.Lang, err = portal.ParseLang(v.field("language")); err != nil {
		return v.showTemplates(http.StatusUnprocessableEntity, t, []string{v.T("desk.badlanguage")})
	}
	change := func(list []portal.AnswerTemplate) []portal.AnswerTemplate { return append(list, t) }
	if v.field("do") == "remove" {
		change = func(list []portal.AnswerTemplate) []portal.AnswerTemplate {
			for i, old := range list {
				if old.Title == t.Title && old.Lang == t.Lang {
					return append(list[:i:i], list[i+1:]...)
				}
			}
			return list
		}
	} else {
		const maxTitle = 100
		problems := append(v.bounded("desk.template-title", t.Title, maxTitle), v.bounded("desk.template-text", t.Text, portal.MaxAnswerText)...)
		if len(problems) > 0 {
			return v.showTemplates(http.StatusUnprocessableEntity, t, problems)
		}
	}
	err = v.desk.o.Templates.ChangeTemplates(v.r.Context(), v.account.Publisher, change)
	switch {
	case errors.Is(err, portal.ErrRejected):
		return v.showTemplates(http.StatusUnprocessableEntity, t, []string{v.T("desk.manytemplates", "most", portal.MaxTemplates)})
	case err != nil:
		return err
	}
	return v.redirect("/desk/templates?done=template")
}

// FormPage is the struct of form.html.
type FormPage struct {
	*Frame
	Groups []FormGroup
	Max    int
}

// FormGroup is one text of the form, in each language that is written.
type FormGroup struct {
	Title  string
	Fields []FormField
}

// FormField is a text in one language.
type FormField struct{ Name, Label, Tag, Value string }

// formLangs are those that are written; Uzbek in Cyrillic is made of Latin.
var formLangs = []portal.Lang{portal.Uzbek, portal.Karakalpak, portal.Russian, portal.English}

func (v *visit) formPage() error {
	w, err := v.desk.o.Form.FormWords(v.r.Context())
	if err != nil {
		return err
	}
	return v.showForm(http.StatusOK, w, nil)
}

func (v *visit) showForm(status int, w portal.FormWords, problems []string) error {
	p := FormPage{Frame: v.frame(v.T("desk.form")), Max: portal.MaxFormWords}
	p.Problems = problems
	for _, g := range []struct {
		name, title string
		text        portal.Text
	}{{"reads", v.T("desk.form-reads"), w.Reads}, {"appeal", v.T("desk.form-appeal"), w.Appeal}} {
		group := FormGroup{Title: g.title}
		for _, l := range formLangs {
			group.Fields = append(group.Fields, FormField{Name: g.name + "-" + l.Path(), Label: v.languageName(l), Tag: string(l), Value: g.text.Translated[l]})
		}
		p.Groups = append(p.Groups, group)
	}
	return v.render(status, "form", p)
}

func (v *visit) setForm() error {
	read := func(name string) (t portal.Text) {
		for _, l := range formLangs {
			if s := v.field(name + "-" + l.Path()); s != "" {
				if t.Translated == nil {
					t.Translated = map[portal.Lang]string{}
				}
				t.Translated[l] = s
			}
		}
		return t
	}
	w := portal.FormWords{Reads: read("reads"), Appeal: read("appeal")}
	err := v.desk.o.Form.SetFormWords(v.r.Context(), w)
	if lines, ok := wrong(err); ok {
		return v.showForm(http.StatusUnprocessableEntity, w, lines)
	}
	if err != nil {
		return err
	}
	return v.redirect("/desk/form?done=form")
}

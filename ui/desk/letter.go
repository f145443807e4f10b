package desk

import (
	"errors"
	"net/http"
	"strings"

	"koprik/portal"
)

// letterPath is before the token of a one-time link.
const letterPath = "/desk/by-letter/"

// loggedPath is a path as it may stand in a log: a token opens a page.
func loggedPath(path string) string {
	if strings.HasPrefix(path, letterPath) {
		return letterPath + "…"
	}
	return path
}

// LetterPage is the struct of letter.html: what somebody sees who followed the
// link in a letter.
type LetterPage struct {
	*Frame
	Action        string
	Still         bool   // asked whether they still answer
	Said          string // what was done; then there is nothing else
	Office, Post  string
	Text, AskedIn string
	Facts         []Fact
	Typed         Typed
	Langs         []Choice
	MaxAnswer     int
	MayPass       bool // to the next office
	PassOpen      bool // something is wrong with what was typed there
	MaxPass       int
}

// passOn is the button that says that a question is not for this office.
const passOn = "not-ours"

// maxToken is longer than any token.
const maxToken = 64

func (v *visit) letterToken() (string, error) {
	t := v.path("token")
	if len(t) > maxToken || strings.Trim(t, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return "", portal.ErrNotFound
	}
	return t, nil
}

// letterPage shows what a link is for. It changes nothing: programs that check
// mail open links as well.
func (v *visit) letterPage() error { return v.showLetter(http.StatusOK, Typed{}, nil) }

func (v *visit) showLetter(status int, typed Typed, problems []string) error {
	token, err := v.letterToken()
	if err != nil {
		return err
	}
	seen, err := v.desk.o.Letters.ByLetter(v.r.Context(), token)
	if err != nil {
		return err
	}
	p := LetterPage{
		Frame: v.frame(v.T("desk.letter")), Action: letterPath + token + "?lang=" + v.lang.Path(), Typed: typed, MaxAnswer: portal.MaxAnswerText,
		MayPass: seen.Link.To != (portal.ContactRef{}), PassOpen: typed.Reason+typed.Belongs != "" || v.field("do") == passOn, MaxPass: portal.MaxNotOurs,
	}
	p.Problems, p.Languages = problems, nil
	p.Post, _ = seen.Contact.Post.In(v.lang)
	p.Office, _ = seen.Publisher.Title.In(v.lang)
	if seen.Link.Kind == portal.LetterStill {
		p.Still, p.Title = true, v.T("desk.still")
		return v.render(status, "letter", p)
	}
	c := &seen.Case
	cal, err := v.desk.o.Calendar(v.r.Context())
	if err != nil {
		return err
	}
	c.Inquiry.Email = "" // nobody needs it to answer
	p.Text, p.AskedIn = c.Inquiry.Text, string(c.Inquiry.Lang)
	p.Facts = v.facts(c, portal.DateOf(v.now), cal)
	for _, l := range portal.Langs {
		p.Langs = append(p.Langs, Choice{Value: l.Path(), Text: v.desk.words.Words(l).T("lang.self"), Chosen: l == c.Inquiry.Lang})
	}
	return v.render(status, "letter", p)
}

// letter answers by a link, once.
func (v *visit) letter() error {
	token, err := v.letterToken()
	if err != nil {
		return err
	}
	switch do := v.field("do"); do {
	case "yes", "no":
		if err := v.desk.o.Letters.ConfirmByLetter(v.r.Context(), token, do == "yes"); err != nil {
			return err
		}
		return v.letterDone(v.T("desk.still-thanks"))
	case string(portal.Answered), string(portal.Refused):
		return v.letterAnswer(token, portal.InquiryState(do))
	case passOn:
		return v.letterPassOn(token)
	}
	return portal.Rejected("do", "is none of the buttons")
}

func (v *visit) letterAnswer(token string, state portal.InquiryState) error {
	typed := Typed{Answer: v.field("text")}
	problems := v.bounded("desk.answer", typed.Answer, portal.MaxAnswerText)
	lang, err := portal.ParseLang(v.field("language"))
	if err != nil {
		problems = append(problems, v.T("desk.badlanguage"))
	}
	if len(problems) > 0 {
		return v.showLetter(http.StatusUnprocessableEntity, typed, problems)
	}
	err = v.desk.o.Letters.AnswerByLetter(v.r.Context(), token, portal.Answer{State: state, Text: typed.Answer, Lang: lang})
	switch {
	case errors.Is(err, portal.ErrRejected):
		return v.showLetter(http.StatusUnprocessableEntity, typed, []string{v.T("desk.cannot")})
	case err != nil:
		return err
	}
	return v.letterDone(v.T(doneWords[string(state)]))
}

// letterPassOn gives the question to the next office.
func (v *visit) letterPassOn(token string) error {
	typed := Typed{Reason: v.field("reason"), Belongs: v.field("belongs")}
	problems := v.bounded("desk.notours-reason", typed.Reason, portal.MaxNotOurs)
	if typed.Belongs != "" {
		problems = append(problems, v.bounded("desk.notours-belongs", typed.Belongs, portal.MaxNotOurs)...)
	}
	if len(problems) > 0 {
		return v.showLetter(http.StatusUnprocessableEntity, typed, problems)
	}
	err := v.desk.o.Letters.PassOnByLetter(v.r.Context(), token, portal.NotOurs{Reason: typed.Reason, Belongs: typed.Belongs})
	switch {
	case errors.Is(err, portal.ErrRejected):
		return v.showLetter(http.StatusUnprocessableEntity, typed, []string{v.T("desk.cannot")})
	case err != nil:
		return err
	}
	return v.letterDone(v.T("desk.done-notours"))
}

// letterDone is the last page of a link.
func (v *visit) letterDone(said string) error {
	p := LetterPage{Frame: v.frame(v.T("desk.letter-done")), Said: said}
	p.Languages = nil
	return v.render(http.StatusOK, "letter", p)
}

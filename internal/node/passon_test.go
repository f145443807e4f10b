package node_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"koprik/internal/node"
	"koprik/internal/smtptest"
	"koprik/portal"
)

// unit publishes two datasets that two contacts of one unit answer for.
func unit(t *testing.T, p *post) {
	t.Helper()
	for _, name := range []string{"wells", "rivers"} {
		publish(t, p.Node, node.Input{Label: name, Name: name + ".csv", FS: fstest.MapFS{
			name + ".csv":           {Data: []byte("name,depth\na,40\nb,55\n")},
			name + ".passport.yaml": {Data: []byte("title: {uz: " + name + "}\ncontact: {id: " + name + ", post: Boshliq, unit: Suv boʻlimi, email: " + name + "@example.org}\nuploaded: 2026-01-15\n")},
		}})
	}
}

// only is the one letter of a turn, and whom it went to.
func only(t *testing.T, letters []smtptest.Letter, to string) smtptest.Letter {
	t.Helper()
	if len(letters) != 1 || letters[0].To != to {
		t.Fatalf("%d letters, want one to %s: %+v", len(letters), to, letters)
	}
	return letters[0]
}

func TestAQuestionThatIsNotForAnOfficeGoesStepByStepToTheCentre(t *testing.T) {
	p := newPost(t)
	unit(t, p)
	_, err := p.Send(t.Context(), portal.Inquiry{Kind: portal.Question, Text: "Nechta?", Lang: portal.Uzbek, About: portal.Place{Dataset: "main_wells"}}, portal.ReceiptCode{})
	must(t, err)
	speak(t, p.Node)
	first := cases(t, p.Node)[0]
	server := httptest.NewServer(handler(t, p.Node))
	t.Cleanup(server.Close)
	steps := []struct {
		to    string
		level portal.RouteLevel
	}{{"wells@example.org", portal.ToHolder}, {"rivers@example.org", portal.ToUnit}, {"desk@example.org", portal.ToDesk}}
	for i, step := range steps {
		if c := cases(t, p.Node)[0]; c.Route.Level != step.level {
			t.Fatalf("step %d: %+v", i, c.Route)
		}
		path, token := linkIn(t, only(t, p.write(t), step.to))
		if body := fetch(t, server.URL+path, nil, 200); !strings.Contains(body, "Bu bizga tegishli emas") {
			t.Errorf("step %d: %s", i, body)
		}
		fetch(t, server.URL+path, url.Values{"do": {"not-ours"}, "reason": {" "}}, 422)
		fetch(t, server.URL+path, url.Values{"do": {"not-ours"}, "reason": {"Biz sanamaymiz."}, "belongs": {"Suv qoʻmitasi"}}, 200)
		fetch(t, server.URL+path, url.Values{"do": {"not-ours"}, "reason": {"Yana."}}, 410)
		wantKind(t, p.AnswerByLetter(t.Context(), token, portal.Answer{State: portal.Answered, Text: "x"}), portal.ErrExpired)
	}
	c := cases(t, p.Node)[0]
	if c.Route.Ref() != (portal.ContactRef{}) || c.Deadline.Due != first.Deadline.Due || c.State != portal.Assigned {
		t.Errorf("%+v", c)
	}
	if e := c.Events[len(c.Events)-1]; e.By != "main/desk" || e.What != "not ours" || e.Note != "Biz sanamaymiz. → Suv qoʻmitasi" {
		t.Errorf("%+v", e)
	}
	_, last := linkIn(t, only(t, p.write(t), "desk@example.org")) // the centre's own address
	wantKind(t, p.PassOnByLetter(t.Context(), last, portal.NotOurs{Reason: "Biz ham emas."}), portal.ErrRejected)
	must(t, p.AnswerByLetter(t.Context(), last, portal.Answer{State: portal.Answered, Text: "Ikkita."}))
}

// TestAQuestionThatComesBackIsWrittenOfAgain moves one from A to B and back to A.
func TestAQuestionThatComesBackIsWrittenOfAgain(t *testing.T) {
	p := newPost(t)
	unit(t, p)
	_, err := p.Send(t.Context(), portal.Inquiry{Kind: portal.Question, Text: "Nechta?", Lang: portal.Uzbek, About: portal.Place{Dataset: "main_wells"}}, portal.ReceiptCode{})
	must(t, err)
	speak(t, p.Node)
	only(t, p.write(t), "wells@example.org")
	var token string
	for _, to := range []portal.ContactID{"rivers", "wells"} {
		for range 2 { // given to the same office twice, it is written of once
			_, err := p.ChangeCase(t.Context(), cases(t, p.Node)[0].Inquiry.ID, "admin", func(c *portal.Case, cal portal.WorkCalendar, e portal.CaseEvent) error {
				return c.Assign(portal.Route{Publisher: "main", Contact: to}, 15, cal, e)
			})
			must(t, err)
		}
		_, token = linkIn(t, only(t, p.write(t), string(to)+"@example.org"))
	}
	// Whoever has said that it is not theirs does not get it back by the way of others.
	must(t, p.PassOnByLetter(t.Context(), token, portal.NotOurs{Reason: "Biz emas."}))
	must(t, p.MarkAmber(t.Context(), portal.ContactRef{Publisher: "main", Contact: "rivers"}, "a letter came back"))
	if c := cases(t, p.Node)[0]; c.Route.Contact != "desk" {
		t.Errorf("%+v", c.Route)
	}
}

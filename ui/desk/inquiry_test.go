package desk

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"koprik/portal"
)

func inquiry(id portal.InquiryID) string { return "/desk/inquiry/" + id.String() }

func TestEachSeesTheInquiriesThatAreTheirs(t *testing.T) {
	all := []portal.InquiryID{ofPrices, ofDesk, ofHealth, ofCentre}
	for role, sees := range map[portal.DeskRole]int{portal.DeskHolder: 1, portal.DeskCoordinator: 2, portal.DeskModerator: 4, portal.DeskAdmin: 4} {
		o := newOffice()
		b := o.as(t, o.serve(t), role)
		status, _, body := b.get("/desk/")
		want(t, string(role), status, 200, body, "What does bread cost? 01", "overdue")
		for i, id := range all {
			if listed := strings.Contains(body, inquiry(id)); listed != (i < sees) {
				t.Errorf("%s: %s is listed: %v", role, id, listed)
			}
			status, _, page := b.get(inquiry(id))
			if i < sees {
				want(t, string(role), status, 200, page, "What does bread cost?", "asker@example.org", "4000")
			} else {
				want(t, string(role), status, 404, page)
			}
			for _, act := range []string{"answer", "clock", "assign", "moderate"} {
				status, _, page := b.post(inquiry(id)+"/"+act, "version", "0", "text", "x", "state", "answered", "language", "en", "reason", "x", "do", "stop", "to", "nobody/x", "question", "x")
				if i >= sees && status != 404 && status != 403 {
					t.Errorf("%s does %s to %s: %d %.300s", role, act, id, status, page)
				}
			}
		}
	}
}

func TestAnAnswerIsKeptWithWhoGaveItAndItsTextIsNeverLost(t *testing.T) {
	o := newOffice()
	b := o.as(t, o.serve(t), portal.DeskHolder)
	at := inquiry(ofPrices) + "/answer"
	for what, c := range map[string]struct {
		fields []string
		says   string
	}{
		"nothing":         {[]string{"text", " \r\n"}, "Answer: must not be empty"},
		"too much":        {[]string{"text", strings.Repeat("ў", portal.MaxAnswerText+1)}, "Answer: has 4,001 characters, at most 4,000 are allowed"},
		"no language":     {[]string{"text", "kept words", "language", "de"}, "kept words"},
		"a wrong dataset": {[]string{"text", "kept words", "dataset", "../x"}, "kept words"},
		"a wrong release": {[]string{"text", "kept words", "dataset", "stat_prices", "release", "-1"}, "kept words"},
		"another state":   {[]string{"text", "kept words", "state", "received"}, "kept words"},
		"an old page":     {[]string{"text", "kept words", "version", "7"}, "Somebody else has worked on this question"},
		"markup":          {[]string{"text", "<script>alert(1)</script>", "version", "7"}, "&lt;script&gt;alert(1)&lt;/script&gt;"},
		"publish nothing": {[]string{"text", "", "state", "published"}, "Write the dataset"},
	} {
		fields := append([]string{"state", "answered", "language", "en", "version", "0"}, c.fields...)
		status, _, body := b.post(at, fields...)
		want(t, what, status, 422, body, "There is something to mend", c.says)
		if len(o.cases[ofPrices].Answers) != 0 {
			t.Fatalf("%s: was answered", what)
		}
	}
	status, where, body := b.post(at, "state", "answered", "language", "uz", "version", "0", "text", "Non narxi\r\n4000 soʻm.", "dataset", "stat_prices", "release", "2")
	if status != http.StatusSeeOther || where != inquiry(ofPrices)+"?done=answered" {
		t.Fatalf("%d %s %s", status, where, body)
	}
	c := o.cases[ofPrices]
	a := c.Answers[0]
	if c.State != portal.Answered || a.Text != "Non narxi\n4000 soʻm." || a.Lang != portal.Uzbek || a.Post != "Head of prices" || a.Office != "Prices, Statistics" || a.Dataset != "stat_prices" || a.Release != 2 || c.Events[0].By != "prices" {
		t.Errorf("%+v", c)
	}
	status, _, body = b.get(where)
	want(t, "after", status, 200, body, "goes out with the next publication", "4000 soʻm.", "Head of prices, Prices, Statistics")
	status, _, body = b.get("/desk/?list=done")
	want(t, "answered ones", status, 200, body, inquiry(ofPrices))
}

func TestTheDueDateStaysWhoeverGetsTheInquiry(t *testing.T) {
	o := newOffice()
	due := o.cases[ofPrices].Deadline.Due
	b := o.as(t, o.serve(t), portal.DeskCoordinator)
	status, _, body := b.get(inquiry(ofPrices))
	want(t, "offices", status, 200, body, `value="stat/desk"`, `value="centre"`)
	for _, to := range []string{"", "health/desk", "stat/nobody", "stat", "<x>"} {
		status, _, body := b.post(inquiry(ofPrices)+"/assign", "version", "0", "to", to)
		want(t, "to "+to, status, 422, body)
	}
	status, where, body := b.post(inquiry(ofPrices)+"/assign", "version", "0", "to", "stat/desk")
	if status != http.StatusSeeOther || where != inquiry(ofPrices)+"?done=assigned" {
		t.Errorf("%d %s %s", status, where, body)
	}
	status, where, _ = b.post(inquiry(ofPrices)+"/assign", "version", "1", "to", "centre")
	if status != http.StatusSeeOther || where != "/desk/?done=assigned" { // it is no longer theirs
		t.Errorf("%d %s", status, where)
	}
	c := o.cases[ofPrices]
	if c.Deadline.Due != due || c.Route.Publisher != "" || len(c.Events) != 2 {
		t.Errorf("%+v", c)
	}
}

func TestTheClockStandsForAReasonThatEverybodyReads(t *testing.T) {
	o := newOffice()
	b := o.as(t, o.serve(t), portal.DeskHolder)
	at := inquiry(ofPrices) + "/clock"
	status, _, body := b.post(at, "version", "0", "do", "stop", "reason", "")
	want(t, "no reason", status, 422, body, "Reason: must not be empty")
	status, _, body = b.post(at, "version", "0", "do", "stop", "reason", "The ministry was asked")
	want(t, "stop", status, 303, body)
	status, _, body = b.get(inquiry(ofPrices))
	want(t, "stopped", status, 200, body, "The clock stands: The ministry was asked")
	status, _, body = b.get("/desk/")
	want(t, "list", status, 200, body, "clock stands")
	status, _, body = b.post(at, "version", "1", "do", "start")
	want(t, "start", status, 303, body)
	status, _, body = b.post(at, "version", "2", "do", "start")
	want(t, "start twice", status, 422, body, "cannot be done")
}

func TestWhatIsShownIsWhatTheModeratorLeft(t *testing.T) {
	o := newOffice()
	b := o.as(t, o.serve(t), portal.DeskModerator)
	at := inquiry(ofDesk) + "/moderate"
	status, _, body := b.get("/desk/?list=moderate")
	want(t, "list", status, 200, body, inquiry(ofDesk))
	status, _, body = b.post(at, "version", "0", "do", "withhold")
	want(t, "no reason", status, 422, body)
	status, _, body = b.post(at, "version", "0", "do", "show", "question", "")
	want(t, "no words", status, 422, body)
	status, _, body = b.post(at, "version", "0", "do", "show", "question", "What does bread cost?")
	want(t, "show", status, 303, body)
	thread, ok := o.cases[ofDesk].Public()
	if !ok || thread.Text != "What does bread cost?" || thread.ID != (portal.InquiryID{0xaa}) || thread.About.Value != "" {
		t.Errorf("%v %+v", ok, thread)
	}
	status, _, body = b.post(at, "version", "1", "do", "withhold", "withhold", "names a person")
	want(t, "withhold", status, 303, body)
	if _, ok := o.cases[ofDesk].Public(); ok {
		t.Error("it is still public")
	}
	o.cases[ofPrices].Inquiry.Public = false
	status, _, body = b.get(inquiry(ofPrices))
	if want(t, "private", status, 200, body); strings.Contains(body, "/moderate") {
		t.Error("a private question can be shown")
	}
	status, _, body = b.post(inquiry(ofPrices)+"/moderate", "version", "0", "do", "show", "question", "x")
	want(t, "private, by force", status, 422, body)
}

func TestAnInboxOfAnyLengthHasPages(t *testing.T) {
	o := newOffice()
	for i := range 120 {
		c := *o.cases[ofPrices]
		c.Inquiry.ID = portal.InquiryID{0xf0, byte(i)}
		o.cases[c.Inquiry.ID] = &c
	}
	b := o.as(t, o.serve(t), portal.DeskHolder)
	path, pages := "/desk/", 0
	for path != "" {
		status, _, body := b.get(strings.ReplaceAll(path, "&amp;", "&"))
		want(t, path, status, 200, body, "121 questions")
		pages++
		path = ""
		if i := strings.Index(body, `" rel="next"`); i > 0 {
			path = body[strings.LastIndex(body[:i], `"`)+1 : i]
		}
	}
	if pages != 3 {
		t.Errorf("%d pages", pages)
	}
	for _, from := range []string{"-1", "x", "99999999999999999999", "1000001"} {
		status, _, body := b.get("/desk/?from=" + from)
		want(t, from, status, 200, body, inquiry(ofPrices))
	}
}

func TestAnAdministratorKeepsAccountsAndNobodyLocksThemselvesOut(t *testing.T) {
	o := newOffice()
	at := o.serve(t)
	b := o.as(t, at, portal.DeskAdmin)
	status, _, body := b.get("/desk/users")
	want(t, "list", status, 200, body, "moderator", "Head of prices")
	fields := []string{"name", "health", "role", "coordinator", "publisher", "health", "post", "Coordinator", "language", "ru", "password", password}
	status, _, body = b.post("/desk/users", append(fields, "name", "Health!")...)
	want(t, "a wrong name", status, 422, body, "name:")
	status, _, body = b.post("/desk/users", fields...)
	want(t, "add", status, 303, body)
	status, _, body = b.post("/desk/users", fields...)
	want(t, "add twice", status, 422, body, "there is an account health")
	them := newBrowser(t, at)
	if status, _, body := them.signIn("health", password); status != 303 {
		t.Fatalf("%d %s", status, body)
	}
	status, _, body = them.get("/desk/")
	want(t, "in Russian", status, 200, body, `<html lang="ru">`, "Вопросы")
	status, _, body = b.post("/desk/users/health", "do", "disable")
	want(t, "disable", status, 303, body)
	if status, where, _ := them.get("/desk/"); status != 303 || where != "/desk/sign-in" {
		t.Errorf("a disabled account is signed in: %d %s", status, where)
	}
	for _, do := range []string{"disable", "password", "factor", "enable"} {
		status, _, body := b.post("/desk/users/admin", "do", do, "password", password)
		want(t, "oneself: "+do, status, 422, body, "another administrator")
	}
	status, _, body = b.post("/desk/users/admin", "do", "save", "role", "holder", "post", "Boss", "language", "en")
	want(t, "oneself: save", status, 303, body)
	if a := o.accounts["admin"]; a.Role != portal.DeskAdmin || a.Post != "Boss" {
		t.Errorf("%+v", a)
	}
	for what, c := range map[string]struct {
		fields []string
		status int
	}{
		"short password": {[]string{"do", "password", "password", "short"}, 422},
		"enable":         {[]string{"do", "enable"}, 303},
		"factor":         {[]string{"do", "factor"}, 303},
		"nothing":        {[]string{"do", "delete"}, 404},
		"a wrong role":   {[]string{"do", "save", "role", "king", "post", "x"}, 422},
	} {
		status, _, body := b.post("/desk/users/health", c.fields...)
		want(t, what, status, c.status, body)
	}
	status, _, body = b.get("/desk/users/nobody")
	want(t, "nobody", status, 404, body)
}

func TestNodesAreEnrolledAndRevoked(t *testing.T) {
	o := newOffice()
	b := o.as(t, o.serve(t), portal.DeskAdmin)
	status, _, body := b.get("/desk/nodes")
	want(t, "list", status, 200, body, "card was copied", "2 numbers before the last have not come", "7")
	id := o.nodes[0].ID.Hex()
	status, _, body = b.post("/desk/nodes", "id", id, "do", "enrol", "name", " ")
	want(t, "no name", status, 422, body)
	status, _, body = b.post("/desk/nodes", "id", id, "do", "enrol", "name", "Nukus")
	want(t, "enrol", status, 303, body)
	if n := o.nodes[0]; !n.Trusted() || n.Name != "Nukus" {
		t.Errorf("%+v", n)
	}
	status, _, body = b.post("/desk/nodes", "id", id, "do", "revoke", "name", "Nukus")
	want(t, "revoke", status, 303, body)
	if o.nodes[0].Trusted() {
		t.Error("it is trusted")
	}
	for _, bad := range []string{"", "xyz", strings.Repeat("0", 64)} {
		status, _, body := b.post("/desk/nodes", "id", bad, "do", "enrol", "name", "x")
		want(t, "id "+bad, status, 404, body)
	}
}

func TestOnesOwnAccountIsChangedByItsPassword(t *testing.T) {
	o := newOffice()
	at := o.serve(t)
	b, elsewhere := o.as(t, at, portal.DeskHolder), o.as(t, at, portal.DeskHolder)
	for what, c := range map[string][]string{
		"wrong until now": {"was", "wrong", "password", "another password", "again", "another password"},
		"not the same":    {"was", password, "password", "another password", "again", "other"},
		"too short":       {"was", password, "password", "short", "again", "short"},
	} {
		status, _, body := b.post("/desk/account/password", c...)
		want(t, what, status, 422, body, "There is something to mend")
		if strings.Contains(body, "another password") {
			t.Errorf("%s: the page shows a password", what)
		}
	}
	status, where, body := b.post("/desk/account/password", "was", password, "password", "another password", "again", "another password")
	if status != 303 || where != "/desk/account?done=password" {
		t.Fatalf("%d %s %s", status, where, body)
	}
	status, _, body = b.get(where)
	want(t, "here", status, 200, body, "The password is another one now")
	if status, where, _ := elsewhere.get("/desk/"); status != 303 || where != "/desk/sign-in" {
		t.Errorf("elsewhere: %d %s", status, where)
	}
	for range 2 * triesAtOnce {
		status, _, body = b.post("/desk/account/password", "was", "guess")
	}
	want(t, "guesses at an open desk", status, http.StatusTooManyRequests, body)
	o.clock.Add(int64(time.Hour / time.Second))
	status, _, body = b.post("/desk/account/language", "language", "tlh")
	want(t, "no language", status, 422, body)
	for _, l := range portal.Langs {
		status, _, body = b.post("/desk/account/language", "language", l.Path())
		want(t, string(l), status, 303, body)
		for _, page := range []string{"/desk/", "/desk/account", "/desk/account/factor", inquiry(ofPrices), "/desk/nowhere"} {
			_, _, body = b.get(page)
			if !strings.Contains(body, `<html lang="`+string(l)+`">`) || strings.Contains(body, "[desk.") || strings.Count(body, "<h1>") != 1 {
				t.Errorf("%s %s: %.400s", l, page, body)
			}
		}
	}
}

func TestWhatNobodyExpectedIsLoggedAndNotShown(t *testing.T) {
	o := newOffice()
	b := o.as(t, o.serve(t), portal.DeskHolder)
	o.errs = strconv.ErrRange
	status, _, body := b.get("/desk/")
	want(t, "broken", status, 500, body, "Something went wrong here")
	if strings.Contains(body, strconv.ErrRange.Error()) {
		t.Error("the page shows the error")
	}
}

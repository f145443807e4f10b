package site

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"koprik/portal"
)

// What the pictures need beside the demonstration: somebody asked and was
// answered, somebody works at the desk, and a node does not hold a file.

// stage is a demonstration whose pictures are taken.
type stage struct {
	program, dir string // the program, and the centre's data directory
	url          string // of the centre's pages
}

// stagePassword signs in the accounts of a demonstration that lives for minutes.
const stagePassword = "a demonstration of minutes"

// command runs the program on the centre, with words on its standard input.
func (s stage) command(t *testing.T, input string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), s.program, append(args, "--dir", s.dir)...)
	cmd.Stdin, cmd.Stderr = strings.NewReader(input), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
	return out
}

// hiddenID finds the id that the last step of a form carries.
var hiddenID = regexp.MustCompile(`name="id" value="([0-9a-f]{32})"`)

// ask puts a question through the form, as a citizen does.
func (s stage) ask(t *testing.T, form url.Values) {
	t.Helper()
	post := func(step string) string {
		form.Set("step", step)
		res, err := http.PostForm(s.url+"/uz/ask", form)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d, %v", step, res.StatusCode, err)
		}
		return string(body)
	}
	found := hiddenID.FindStringSubmatch(post("check"))
	if found == nil {
		t.Fatal("the page before the last has no id")
	}
	form.Set("id", found[1])
	post("send")
}

// talk asks two questions; one is answered before everybody. It gives the address
// of that one, and of the other at the desk.
func (s stage) talk(t *testing.T) (thread, work string) {
	t.Helper()
	before := s.inquiries(t, nil) // the demonstration has some of its own
	s.ask(t, url.Values{"kind": {"question"}, "dataset": {"demo_population-by-region"}, "public": {"yes"}, "text": {"Nega 2026-yil raqami dastlabki deyilgan?"}})
	s.ask(t, url.Values{"kind": {"breakdown"}, "dataset": {"demo_doctors-by-region"}, "public": {"no"}, "text": {"Xorazmda nechta shifokor ayol?"}})
	s.command(t, "", "inquiry", "send")
	for _, q := range s.inquiries(t, before) {
		if q.Kind == "question" {
			s.command(t, "", "inquiry", "answer", q.ID, "--lang", "uz", "--post", "Demografiya boʻlimi boshligʻi", "--text", "2026-yil 1-yanvar soni dastlabki hisob. Yakuniysi yil oʻrtasida chiqadi.")
			s.command(t, "", "inquiry", "publish", q.ID)
		}
	}
	s.command(t, "", "inquiry", "send")
	for _, q := range s.inquiries(t, before) {
		if q.Thread != "" {
			thread = "/inquiry/" + q.Thread
		} else {
			work = "/desk/inquiry/" + q.ID
		}
	}
	if thread == "" || work == "" {
		t.Fatalf("thread %q, at the desk %q", thread, work)
	}
	return thread, work
}

// listed is an inquiry as the command lists it.
type listed struct{ ID, Kind, Thread string }

// inquiries are those of the centre, without the ones that were there before.
func (s stage) inquiries(t *testing.T, before []listed) (list []listed) {
	t.Helper()
	var all struct{ Inquiries []listed }
	if err := json.Unmarshal(s.command(t, "", "inquiry", "list", "--json"), &all); err != nil {
		t.Fatal(err)
	}
	for _, q := range all.Inquiries {
		if !slices.ContainsFunc(before, func(b listed) bool { return b.ID == q.ID }) {
			list = append(list, q)
		}
	}
	return list
}

// signedIn makes an administrator of the language, and gives the cookie that
// signs him in.
func (s stage) signedIn(t *testing.T, l string) *http.Cookie {
	t.Helper()
	name := "admin-" + l
	s.command(t, stagePassword+"\n", "user", "add", name, "--role", "admin", "--post", "Administrator", "--language", l)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.PostForm(s.url+"/desk/sign-in", url.Values{"name": {name}, "password": {stagePassword}})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	for _, c := range res.Cookies() {
		if c.Value != "" {
			return c
		}
	}
	t.Fatalf("%s is not signed in: %d", name, res.StatusCode)
	return nil
}

// withoutFiles serves the catalogue of the tests from a node that holds no file.
func withoutFiles(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(newWorld(t, func(w *world) {
		for hash, tables := range w.view.tables {
			for i := range tables {
				w.view.tables[hash][i].err = portal.ErrNotHeld
			}
		}
		w.options.Held = func(portal.Digest) bool { return false }
	}).handler)
	t.Cleanup(server.Close)
	return server.URL
}

package cli

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"koprik/portal"
)

// address waits until a server says where it listens.
func (p *process) address(t *testing.T) string {
	t.Helper()
	lines := bufio.NewScanner(p.out)
	for lines.Scan() {
		if found := regexp.MustCompile(`http://[^\s"]+`).FindString(lines.Text()); found != "" {
			return strings.TrimSuffix(found, "/")
		}
	}
	t.Fatalf("%v says no address: %s", p.Args, p.stderr.String())
	return ""
}

// page asks for a page, or sends a form.
func page(t *testing.T, address string, form url.Values) string {
	t.Helper()
	var res *http.Response
	var err error
	if form == nil {
		res, err = http.Get(address)
	} else {
		res, err = http.PostForm(address, form)
	}
	must(t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	must(t, err)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s\n%s", address, res.Status, b)
	}
	return string(b)
}

// TestAQuestionWalksFromAnOfflineKioskToTheCentreAndItsAnswerToAnyOther is the whole
// walk, with processes: a mirror without a network takes a question, and is killed
// when the receipt is shown; a stick carries it; the centre answers; another mirror,
// which nothing but the stick has reached, opens the answer with the receipt.
func TestAQuestionWalksFromAnOfflineKioskToTheCentreAndItsAnswerToAnyOther(t *testing.T) {
	dir := t.TempDir()
	central, kiosk, other, stick := filepath.Join(dir, "central"), filepath.Join(dir, "kiosk"), filepath.Join(dir, "other"), t.TempDir()
	koprik(t, "init", "--role", "central", "--title", "Markaz", "--contact", "desk@example.org", "--dir", central)
	koprik(t, "publish", writeRevision(t, filepath.Join(dir, "in"), 1)[2], "--dir", central)
	koprik(t, "export", "--to", stick, "--dir", central)
	for _, m := range []string{kiosk, other} {
		koprik(t, "init", "--role", "mirror", "--title", "Koʻzgu", "--upstream", "http://127.0.0.1:1/", "--trust", filepath.Join(central, "repository/metadata/1.root.json"), "--dir", m)
		koprik(t, "sync", "--from", stick, "--dir", m)
	}

	server := start(t, "serve", "--listen", "127.0.0.1:0", "--dir", kiosk)
	home := server.address(t)
	shown := page(t, home+"/uz/ask", url.Values{
		"kind": {"question"}, "dataset": {"main_wells"}, "text": {"Quduqlar nega kam?"}, "public": {"yes"}, "step": {"send"},
	})
	must(t, server.Process.Kill())
	_ = server.Wait()
	code := regexp.MustCompile(`[0-9A-Z]{5}(-[0-9A-Z]{5}){3}`).FindString(shown)
	if code == "" {
		t.Fatalf("no receipt: %s", shown)
	}

	var synced struct{ Outbox struct{ Sent, Left int } }
	must(t, json.Unmarshal(koprik(t, "sync", "--from", stick, "--json", "--dir", kiosk), &synced))
	if synced.Outbox.Sent != 1 || synced.Outbox.Left != 1 {
		t.Errorf("%+v", synced)
	}
	koprik(t, "sync", "--from", stick, "--dir", central)
	var list struct {
		Inquiries []struct{ ID, Text, State string }
	}
	must(t, json.Unmarshal(koprik(t, "inquiry", "list", "--open", "--json", "--dir", central), &list))
	if len(list.Inquiries) != 1 || list.Inquiries[0].Text != "Quduqlar nega kam?" || list.Inquiries[0].State != string(portal.Assigned) {
		t.Fatalf("%+v", list)
	}
	id := list.Inquiries[0].ID
	koprik(t, "inquiry", "answer", id, "--text", "Uchtasi taʼmirda.", "--post", "Boshliq", "--dir", central)
	koprik(t, "inquiry", "publish", id, "--dir", central)
	koprik(t, "inquiry", "send", "--dir", central)
	koprik(t, "export", "--to", stick, "--dir", central)

	koprik(t, "sync", "--from", stick, "--dir", other)
	away := start(t, "serve", "--listen", "127.0.0.1:0", "--dir", other).address(t)
	if got := page(t, away+"/uz/receipt", url.Values{"code": {strings.ToLower(code)}}); !strings.Contains(got, "Uchtasi taʼmirda.") || !strings.Contains(got, "Quduqlar nega kam?") {
		t.Errorf("the receipt opens: %s", got)
	}
	if got := page(t, away+"/ru/dataset/main_wells", nil); !strings.Contains(got, "Quduqlar nega kam?") {
		t.Errorf("the dataset's page: %s", got)
	}
	must(t, json.Unmarshal(koprik(t, "sync", "--from", stick, "--json", "--dir", kiosk), &synced))
	if synced.Outbox.Left != 0 {
		t.Errorf("the kiosk has %d left", synced.Outbox.Left)
	}
}

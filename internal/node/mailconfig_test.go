package node_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"koprik/internal/node"
	"koprik/portal"
)

func TestMailThatIsSetWronglyIsNamed(t *testing.T) {
	for _, c := range []struct {
		what string
		set  []string
		says string
	}{
		{"no address", []string{"mail_server", "mail.example.org:25", "mail_from", "a@example.org"}, "address"},
		{"no sender", []string{"mail_server", "mail.example.org:25", "address", "https://data.example.org"}, "mail_from"},
		{"in the clear", []string{"mail_server", "mail.example.org:25", "mail_from", "a@example.org", "address", "https://data.example.org", "mail_security", "none"}, "mail_security"},
	} {
		dir := t.TempDir()
		toml := "role = \"central\"\n"
		for i := 0; i < len(c.set); i += 2 {
			toml += c.set[i] + " = \"" + c.set[i+1] + "\"\n"
		}
		must(t, os.WriteFile(filepath.Join(dir, "koprik.toml"), []byte(toml), 0o600))
		_, err := node.ReadConfig(dir, func(string) string { return "" }, nil)
		if !errors.Is(err, portal.ErrRejected) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	for key, value := range map[string]string{
		"mail_server": "mail.example.org", "mail_from": "Markaz <a@example.org>", "mail_reply": "nobody", "mail_security": "maybe", "address": "https://x.example.org/path",
		"confirm_every_days": "-1",
	} {
		if _, err := node.SetConfig(map[string]string{key: value}); err == nil {
			t.Errorf("%s = %s is taken", key, value)
		}
	}
}

func TestAPasswordComesFromAFileOrTheEnvironmentAndIsInNoError(t *testing.T) {
	p := newPost(t, "mail_user", "portal", "mail_password_file", "mail.password")
	p.server.SetPassword("correct horse")
	ask(t, p.Node, "Nega?", false)
	speak(t, p.Node)
	must(t, p.Attend(t.Context()))
	_, err := p.SendLetters(t.Context())
	if !errors.Is(err, portal.ErrRejected) || !strings.Contains(err.Error(), "mail_password_file") {
		t.Errorf("%v", err)
	}
	must(t, os.WriteFile(filepath.Join(p.Dir(), "mail.password"), []byte("wrong donkey\n"), 0o600))
	_, err = p.SendLetters(t.Context())
	if !errors.Is(err, portal.ErrUnreachable) || strings.Contains(err.Error(), "donkey") {
		t.Errorf("%v", err)
	}
	must(t, os.WriteFile(filepath.Join(p.Dir(), "mail.password"), []byte("correct horse\n"), 0o600))
	p.now = p.now.Add(time.Hour)
	if letters := p.write(t); len(letters) != 1 || letters[0].User != "portal" {
		t.Errorf("%+v", letters)
	}
	must(t, p.Close())
	o := p.options()
	o.Environ = func(key string) string { return map[string]string{"KOPRIK_MAIL_PASSWORD": "correct horse"}[key] }
	p.Node = open(t, p.Dir(), o)
	must(t, os.Remove(filepath.Join(p.Dir(), "mail.password")))
	if l := p.asks(t, "Yana?"); l.User != "portal" {
		t.Errorf("%+v", l)
	}
}

func TestWithoutAMailServerNothingIsQueuedAndLatenessIsStillMarked(t *testing.T) {
	central := newCentral(t)
	ask(t, central, "Nega?", false)
	speak(t, central)
	must(t, central.Attend(context.Background()))
	if _, total, err := central.Letters(t.Context(), 1); err != nil || total != 0 {
		t.Errorf("%d %v", total, err)
	}
	_, err := central.WriteLetters(t.Context())
	wantKind(t, err, portal.ErrRejected)
}

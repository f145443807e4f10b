package mailer

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"koprik/internal/smtptest"
	"koprik/portal"
)

var letter = Message{
	From: "portal@example.org", Name: "Ochiq maʼlumotlar", To: "boss@example.org", ReplyTo: "savol+abc@example.org",
	Subject: "Savol: suv nega kam? Вопрос", Text: "Salom.\n.\nOxiri ʻ.\n", ID: "koprik-1@example.org", Date: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC),
}

func serverAt(t *testing.T, s *smtptest.Server, how Security) Server {
	t.Helper()
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return Server{Host: host, Port: n, Security: how, Roots: s.Roots}
}

func TestALetterArrivesAsItWasWritten(t *testing.T) {
	s := smtptest.Start(t, time.Now())
	to := serverAt(t, s, StartTLS)
	to.User, to.Password = "portal", "correct horse"
	s.SetPassword("correct horse")
	if err := to.Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	got := s.Letters()[0]
	text, err := got.Text()
	if err != nil || text != letter.Text && text != strings.TrimSuffix(letter.Text, "\n") || !got.TLS || got.User != "portal" || got.From != "savol+abc@example.org" || got.To != "boss@example.org" {
		t.Errorf("%+v %q %v", got, text, err)
	}
	if got.Header("Message-Id") != "<koprik-1@example.org>" || got.Header("Auto-Submitted") != "auto-generated" || !strings.Contains(got.Header("Reply-To"), "savol+abc@example.org") {
		t.Errorf("%s", got.Data)
	}
}

func TestNothingGoesOverALineThatOthersRead(t *testing.T) {
	s := smtptest.Start(t, time.Now())
	s.NoTLS = true
	if err := serverAt(t, s, StartTLS).Send(t.Context(), letter); !errors.Is(err, portal.ErrUnreachable) {
		t.Errorf("a server without STARTTLS: %v", err)
	}
	s.NoTLS = false
	strange := serverAt(t, s, StartTLS)
	strange.Roots = nil
	if err := strange.Send(t.Context(), letter); !errors.Is(err, portal.ErrUnreachable) {
		t.Errorf("a certificate of a stranger: %v", err)
	}
	away := Server{Host: "mail.example.org", Port: 25, Security: None, Dial: func(context.Context, string, string) (net.Conn, error) {
		t.Error("a server far away is dialled without TLS")
		return nil, errors.New("no")
	}}
	if err := away.Send(t.Context(), letter); err == nil {
		t.Error("a server far away is reached without TLS")
	}
	if len(s.Letters()) != 0 {
		t.Error("a letter went out")
	}
	if err := serverAt(t, s, None).Send(t.Context(), letter); err != nil || s.Letters()[0].TLS {
		t.Errorf("on this machine: %v", err)
	}
}

func TestWhatAServerSaysIsToldApart(t *testing.T) {
	s := smtptest.Start(t, time.Now())
	to := serverAt(t, s, None)
	for _, c := range []struct {
		at, says string
		want     error
		doubt    bool
	}{
		{"RCPT", "550 5.1.1 no such user", ErrRecipient, false},
		{"RCPT", "450 4.2.0 greylisted", portal.ErrUnreachable, false},
		{"MAIL", "550 5.7.1 not you", portal.ErrUnreachable, false},
		{"DATA", "554 5.7.1 spam", portal.ErrUnreachable, false},
		{".", "451 4.3.0 disk full", portal.ErrUnreachable, false},
		{".", "drop", portal.ErrUnreachable, true},
		{"EHLO", "drop", portal.ErrUnreachable, false},
	} {
		s.SetAnswer(func(command string) string {
			if strings.HasPrefix(command, c.at) {
				return c.says
			}
			return ""
		})
		err := to.Send(t.Context(), letter)
		if !errors.Is(err, c.want) || errors.Is(err, ErrDoubt) != c.doubt || strings.ContainsAny(firstOf(err), "\r\n") {
			t.Errorf("%s: %s: %v", c.at, c.says, err)
		}
	}
}

func firstOf(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}

func TestAnAddressThatIsNoneNeverReachesTheServer(t *testing.T) {
	s := smtptest.Start(t, time.Now())
	for _, to := range []string{"", "nobody", "a@example.org\r\nRCPT TO:<b@example.org>", "a@example.org, b@example.org"} {
		m := letter
		m.To = to
		if err := serverAt(t, s, None).Send(t.Context(), m); !errors.Is(err, ErrRecipient) {
			t.Errorf("%q: %v", to, err)
		}
	}
	m := letter
	m.Subject = "x\r\nBcc: victim@example.org"
	if err := serverAt(t, s, None).Send(t.Context(), m); err != nil || s.Letters()[0].Header("Bcc") != "" {
		t.Errorf("%v %+v", err, s.Letters())
	}
}

// A server that says nothing costs no more than the time of a letter; time is
// virtual here.
func TestAServerThatSaysNothingIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := Server{Host: "mail.example.org", Port: 587, Security: StartTLS, Dial: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			t.Cleanup(func() { theirs.Close() })
			return ours, nil
		}}
		began := time.Now()
		if err := silent.Send(t.Context(), letter); !errors.Is(err, portal.ErrUnreachable) {
			t.Error(err)
		}
		if took := time.Since(began); took > 2*timeout {
			t.Errorf("took %v", took)
		}
	})
}

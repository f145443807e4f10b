package email

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"koprik/portal"
)

func message(header, body string) string {
	return strings.ReplaceAll("From: a@example.org\nTo: savol+abcdefghijklmnop@example.org\n"+header+"\n"+body, "\n", "\r\n")
}

func read(t *testing.T, text string) Message {
	t.Helper()
	m, err := Read(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%.400s", err, text)
	}
	return m
}

func TestARepliesWordsAreThoseAboveTheQuotation(t *testing.T) {
	cyrillic, err := charmap.Windows1251.NewEncoder().String("Данные собираются раз в год.")
	if err != nil {
		t.Fatal(err)
	}
	const quote = "##- Javobingizni shu qatordan yuqoriga yozing.\n> > Suv nega kam?\n"
	for name, c := range map[string]struct{ header, body, want string }{
		"plain":         {"", "Yoz quruq keldi.\n", "Yoz quruq keldi."},
		"gmail":         {"", "Yoz quruq keldi.\n\nпн, 23 нояб. 2026 г. в 10:00, Markaz <savol@example.org>:\n\n> " + quote, "Yoz quruq keldi."},
		"gmail wrapped": {"", "Yoz.\n\nOn Mon, Nov 23, 2026 at 10:00 AM Ochiq maʼlumotlar portali\n<savol+abcdefghijklmnop@example.org> wrote:\n\n> " + quote, "Yoz."},
		"outlook":       {"", "Ответ.\n\n________________________________\nОт: Портал <a@example.org>\nОтправлено: 23 ноября\nКому: б\nТема: Вопрос\n\n" + quote, "Ответ."},
		"outlook plain": {"", "Answer.\n\nFrom: Portal\nSent: Monday\nTo: b\nSubject: Question\n\nmore", "Answer."},
		"original":      {"", "Ответ.\n-----Исходное сообщение-----\nчто-то", "Ответ."},
		"signature":     {"", "Javob.\n-- \nBoshliq\n+998 71 000\n", "Javob."},
		"colon":         {"", "Uch narsa:\n1. suv\n2. quduq\n", "Uch narsa:\n1. suv\n2. quduq"},
		"quoting":       {"", "Siz yozdingiz:\n> nega kam?\nChunki yomgʻir yoʻq.\n", "Siz yozdingiz:\n> nega kam?\nChunki yomgʻir yoʻq."},
		"from inside":   {"", "From: the beginning of the year there was none.\nThat is all.", "From: the beginning of the year there was none.\nThat is all."},
		"nothing":       {"", "\n\n> " + quote, ""},
		"1251":          {"Content-Type: text/plain; charset=windows-1251\n", cyrillic, "Данные собираются раз в год."},
		"base64":        {"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n", base64.StdEncoding.EncodeToString([]byte("Oʻzgardi.")), "Oʻzgardi."},
		"quoted":        {"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n", "O=CA=BBzgardi=\n.", "Oʻzgardi."},
		"alternative":   {"Content-Type: multipart/alternative; boundary=b\n", "--b\nContent-Type: text/html\n\n<b>html</b>\n--b\nContent-Type: text/plain\n\nplain\n--b--\n", "plain"},
		"page":          {"Content-Type: text/html; charset=utf-8\n", "<html><style>p{}</style><p>Bir &amp; ikki</p><div>uch<br>toʻrt</div><script>alert(1)</script><div class=\"gmail_quote\">old</div></html>", "Bir & ikki\nuch\ntoʻrt"},
		"attachment":    {"Content-Type: multipart/mixed; boundary=b\n", "--b\nContent-Type: text/plain\n\nIlovada.\n--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename=x.txt\n\nother\n--b--\n", "Ilovada."},
		"controls":      {"", "a\x00b\x1b[31mc\u00a0d\n", "ab[31mc d"},
	} {
		if m := read(t, message(c.header, c.body)); m.Kind != Reply || m.Text != c.want || len(m.Tags) != 1 || m.Tags[0] != "abcdefghijklmnop" {
			t.Errorf("%s: kind %d, tags %q\n%q\nwant %q", name, m.Kind, m.Tags, m.Text, c.want)
		}
	}
}

func TestWhatNoPersonWroteIsNoAnswer(t *testing.T) {
	for _, header := range []string{
		"Auto-Submitted: auto-replied\n", "Auto-Submitted: auto-generated (vacation)\n", "Precedence: bulk\n", "X-Autoreply: yes\n", "Return-Path: <>\n", "List-Id: <x>\n",
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n",
	} {
		body := "Taʼtildaman.\n"
		if strings.Contains(header, "boundary") {
			body = "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nAction: delayed\nStatus: 4.4.1\n\n--b--\n"
		}
		if m := read(t, message(header, body)); m.Kind != Automatic || m.Text != "" {
			t.Errorf("%q: %+v", header, m)
		}
	}
	if m := read(t, message("Auto-Submitted: no\n", "Javob.")); m.Kind != Reply || m.Text != "Javob." {
		t.Errorf("%+v", m)
	}
}

func TestAReportOfFailureIsABounceWithItsTag(t *testing.T) {
	text := strings.ReplaceAll("From: MAILER-DAEMON@x.org\nTo: portal@example.org\nContent-Type: multipart/report; report-type=\"delivery-status\"; boundary=\"b\"\n\n"+
		"--b\nContent-Type: text/plain\n\nsorry\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@x.org\nAction: Failed\nStatus: 5.1.1\n"+
		"Diagnostic-Code: smtp; 550 5.1.1 no\n such user\n\n--b\nContent-Type: text/rfc822-headers\n\nSubject: Savol [koprik-abcdefghijklmnop]\nReply-To: savol+ABCDEFGHIJKLMNO2@example.org\n--b--\n", "\n", "\r\n")
	m := read(t, text)
	if m.Kind != Bounce || m.Status != "5.1.1" || m.Diagnostic != "550 5.1.1 no such user" || len(m.Tags) != 2 {
		t.Errorf("%+v", m)
	}
}

func TestHostileMessagesAreRefusedOrHarmless(t *testing.T) {
	deep := "Content-Type: multipart/mixed; boundary=b0\n\n"
	for i := range 50 {
		deep += fmt.Sprintf("--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n", i, i+1)
	}
	many := "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", maxParts+5) + "--b--\n"
	for name, text := range map[string]string{
		"empty": "", "no header": "hello", "binary": "\x00\xff\x00", "deep": deep, "many": many,
		"no boundary": "Content-Type: multipart/mixed\n\nx", "cut off": "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nx",
		"charset": "Content-Type: text/plain; charset=utf-7\n\nx", "not utf-8": "Content-Type: text/plain; charset=utf-8\n\n\xff\xfe",
		"bad base64": "Content-Transfer-Encoding: base64\n\n!!!!", "long text": "From: a\n\n" + strings.Repeat("x", maxText+1),
		"large": "From: a\n\n" + strings.Repeat("x", MaxMessage),
	} {
		if m, err := Read(strings.NewReader(text)); !errors.Is(err, portal.ErrRejected) {
			t.Errorf("%s: %+v %v", name, m, err)
		} else if len(err.Error()) > 400 {
			t.Errorf("%s: the error repeats what came: %d bytes", name, len(err.Error()))
		}
	}
}

// Four times the text may take twelve times as long, on a machine that is busy at one
// moment and not at the next; what grows by the square takes sixteen times.
func TestALongQuotationCostsItsLengthAndNoMore(t *testing.T) {
	for name, text := range map[string]func(size int) string{
		"marks":   func(size int) string { return message("", strings.Repeat(">\n", size/3)+"x") },
		"senders": func(size int) string { return message("", strings.Repeat("From: x\n", size/10)) },
		"colons":  func(size int) string { return message("", strings.Repeat("a:\n", size/4)+"> x") },
		"tags": func(size int) string {
			return message("Content-Type: text/html\n", strings.Repeat("<style><", size/10))
		},
		"blank": func(size int) string { return message("", strings.Repeat("\n", size-10)+">") },
	} {
		took := func(size int) time.Duration {
			best, text := time.Hour, text(size)
			for range 3 {
				began := time.Now()
				_, _ = Read(strings.NewReader(text))
				best = min(best, time.Since(began))
			}
			return best
		}
		quarter, whole := took(maxText/8), took(maxText/2) // line ends become longer; what is over maxText is refused at once
		if t.Logf("%s: %v, a quarter of it %v", name, whole, quarter); whole > 12*quarter+10*time.Millisecond {
			t.Errorf("%s: %v, a quarter of it takes %v", name, whole, quarter)
		}
	}
}

func TestTagsAreFoundInAddressesAndSubjectsOnly(t *testing.T) {
	for value, want := range map[string]int{
		"savol+abcdefghijklmnop@example.org": 1, "Markaz <SAVOL+ABCDEFGHIJKLMNOP@EXAMPLE.ORG>": 1, "a+short@example.org": 0, "a+abcdefghijklmno1@x.org": 0,
		"a+abcdefghijklmnopq@x.org": 0, "a+abcdefghijklmnop": 0, "Re: x [koprik-abcdefghijklmnop]": 1, "a+b+abcdefghijklmnop@x.org": 1,
	} {
		if m := read(t, "To: "+value+"\r\n\r\nx"); len(m.Tags) != want {
			t.Errorf("%s: %q", value, m.Tags)
		}
	}
	if m := read(t, "From: a\r\n\r\nsavol+abcdefghijklmnop@example.org"); len(m.Tags) != 0 {
		t.Errorf("a tag in the words counts: %q", m.Tags)
	}
	if m := read(t, "To: "+strings.Repeat("+abcdefghijklmnop@", 3000)+"\r\n\r\nx"); len(m.Tags) != 1 {
		t.Errorf("%d tags", len(m.Tags))
	}
	if got := Tagged("savol@example.org", "abcdefghijklmnop"); got != "savol+abcdefghijklmnop@example.org" {
		t.Error(got)
	}
}

// FuzzRead: whatever comes, the words are bounded UTF-8 without control
// characters, and errors are rejections.
func FuzzRead(f *testing.F) {
	f.Add(message("", "Javob.\n> ##- x\n"))
	f.Add(message("Content-Type: multipart/report; report-type=delivery-status; boundary=b\n", "--b\nContent-Type: message/delivery-status\n\nx: y\n\nAction: failed\n\n--b--\n"))
	f.Add(message("Content-Type: text/html\n", "<p>x</p><blockquote>y"))
	f.Add(message("Content-Type: multipart/alternative; boundary=\"b\"\nContent-Transfer-Encoding: base64\n", "--b\n\nx\n--b--"))
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Read(strings.NewReader(text))
		if err != nil {
			if !errors.Is(err, portal.ErrRejected) {
				t.Fatal(err)
			}
			return
		}
		if len(m.Text) > 2*maxText || strings.ToValidUTF8(m.Text, "") != m.Text || strings.ContainsAny(m.Text, "\x00\x1b\r") || m.Kind != Reply && m.Text != "" {
			t.Errorf("%q", m.Text)
		}
		for _, tag := range m.Tags {
			if len(tag) != TagLength {
				t.Errorf("tag %q", tag)
			}
		}
	})
}

// Package email reads messages that come back to the centre (RFC 5322, MIME): an
// answer to one of its letters, or the report that a letter could not be
// delivered (RFC 3464). It does no I/O but to read what it is given, and nothing
// in a message makes it read, keep or follow more than its bounds.
package email

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"

	"koprik/portal"
)

// The bounds of a message.
const (
	MaxMessage = 10 << 20 // bytes of all of it, attachments too
	maxText    = 256 << 10
	maxDepth   = 6
	maxParts   = 200
)

// Kind is what a message turned out to be.
type Kind int

// The kinds.
const (
	Reply     Kind = iota // a person's words
	Bounce                // a letter could not be delivered for good
	Automatic             // an absence note, a delay, a list: nobody's words
)

// Message is what came.
type Message struct {
	Kind        Kind
	Tags        []string // candidates for the tag of a reply address, as they were found
	Text        string   // of a Reply: what stands above the quotation; may be empty
	Attachments int      // of a Reply: parts that were left out
	Status      string   // of a Bounce: the enhanced status code, "5.1.1"; may be empty
	Diagnostic  string   // of a Bounce: one line of what the server said
}

// Read reads a message. What is none, or goes beyond the bounds, is
// portal.ErrRejected.
func Read(r io.Reader) (m Message, err error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxMessage+1))
	switch {
	case err != nil:
		return m, err
	case len(b) > MaxMessage:
		return m, portal.Rejected("message", "has more than %d MB", MaxMessage>>20)
	}
	if line, rest, ok := bytes.Cut(b, []byte("\n")); ok && bytes.HasPrefix(line, []byte("From ")) {
		b = rest // an mbox separator, which some delivery agents write
	}
	raw, err := mail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		return m, portal.Rejected("message", "is no e-mail (RFC 5322): %.200v", err)
	}
	s := &scan{parts: maxParts}
	s.tagsOf(raw.Header)
	if err := s.part(part{header: raw.Header, body: raw.Body}, 0); err != nil {
		return m, portal.Rejected("message", "%v", err)
	}
	m = Message{Tags: s.tags, Text: Answer(s.words()), Attachments: s.left, Status: s.status, Diagnostic: s.diagnostic}
	switch {
	case s.failed:
		m.Kind = Bounce
	case s.report || automatic(raw.Header):
		m.Kind = Automatic
	}
	if m.Kind != Reply {
		m.Text = ""
	}
	return m, nil
}

// automatic tells messages that no person wrote (RFC 3834, and what was usual
// before it): an absence note must never become an office's answer.
func automatic(h mail.Header) bool {
	value := func(name string) string { return strings.ToLower(strings.TrimSpace(h.Get(name))) }
	if auto := value("Auto-Submitted"); auto != "" && auto != "no" {
		return true
	}
	switch value("Precedence") {
	case "bulk", "junk", "list", "auto_reply":
		return true
	}
	for _, name := range []string{"X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress", "List-Id"} {
		if name != "X-Auto-Response-Suppress" && value(name) != "" {
			return true
		}
	}
	from := value("From")
	return value("Return-Path") == "<>" || strings.Contains(from, "mailer-daemon@") || strings.Contains(from, "postmaster@")
}

// scan walks through the parts of a message.
type scan struct {
	parts              int // how many may still be looked at
	tags               []string
	plain, html        *string // the first of each kind
	left               int
	report, failed     bool
	status, diagnostic string
}

type header interface{ Get(name string) string }

type part struct {
	header header
	body   io.Reader
}

// words are those of the plain text, or of the page where there is no text.
func (s *scan) words() string {
	if s.plain != nil && strings.TrimSpace(*s.plain) != "" {
		return *s.plain
	}
	if s.html != nil {
		return pageText(*s.html)
	}
	return ""
}

var errTooDeep = errors.New("has too many parts, or parts within parts")

func (s *scan) part(p part, depth int) error {
	if s.parts--; s.parts < 0 || depth > maxDepth {
		return errTooDeep
	}
	kind, params, err := mime.ParseMediaType(p.header.Get("Content-Type"))
	if err != nil { // none, or none that can be read: RFC 2045, 5.2
		kind, params = "text/plain", nil
	}
	disposition, _, _ := mime.ParseMediaType(p.header.Get("Content-Disposition")) //nolint:errcheck // what cannot be read is no attachment
	body := decoded(p)
	switch {
	case strings.HasPrefix(kind, "multipart/"):
		if kind == "multipart/report" && strings.EqualFold(params["report-type"], "delivery-status") {
			s.report = true
		}
		return s.multipart(body, params["boundary"], depth)
	case s.report && kind == "message/delivery-status":
		return s.deliveryStatus(body)
	case s.report && (kind == "message/rfc822" || kind == "text/rfc822-headers"):
		return s.returned(body)
	case disposition == "attachment" || kind != "text/plain" && kind != "text/html":
		s.left++
		return nil
	}
	text, err := readText(body, params["charset"])
	if err != nil {
		return err
	}
	slot := &s.plain
	if kind == "text/html" {
		slot = &s.html
	}
	if *slot == nil {
		*slot = &text
	} else {
		s.left++
	}
	return nil
}

func (s *scan) multipart(body io.Reader, boundary string, depth int) error {
	if boundary == "" {
		return errors.New("has parts without a boundary between them")
	}
	r := multipart.NewReader(body, boundary)
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("is cut off within its parts: %s", line(err.Error()))
		}
		if err := s.part(part{header: p.Header, body: p}, depth+1); err != nil {
			return err
		}
	}
}

// decoded undoes the transfer encoding.
func decoded(p part) io.Reader {
	switch strings.ToLower(strings.TrimSpace(p.header.Get("Content-Transfer-Encoding"))) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, p.body)
	case "quoted-printable":
		return quotedprintable.NewReader(p.body)
	}
	return p.body
}

// charsets are those in which offices of the country write.
var charsets = map[string]encoding.Encoding{
	"windows-1251": charmap.Windows1251, "cp1251": charmap.Windows1251, "koi8-r": charmap.KOI8R, "koi8-u": charmap.KOI8U, "ibm866": charmap.CodePage866,
	"cp866": charmap.CodePage866, "iso-8859-5": charmap.ISO8859_5, "iso-8859-1": charmap.ISO8859_1, "iso-8859-9": charmap.ISO8859_9,
	"iso-8859-15": charmap.ISO8859_15, "windows-1252": charmap.Windows1252, "windows-1254": charmap.Windows1254,
}

// readText reads maxText bytes of a part as UTF-8, with plain ends of lines.
func readText(r io.Reader, charset string) (string, error) {
	charset = strings.ToLower(strings.TrimSpace(charset))
	e := charsets[charset]
	if e == nil && charset != "" && charset != "utf-8" && charset != "utf8" && charset != "us-ascii" {
		return "", fmt.Errorf("is written in the charset %.40q, which is not known here", charset)
	}
	b, err := io.ReadAll(io.LimitReader(r, maxText+1))
	if err != nil {
		return "", fmt.Errorf("cannot be decoded: %s", line(err.Error()))
	}
	if len(b) > maxText {
		return "", fmt.Errorf("has more than %d kB of text", maxText>>10)
	}
	if e != nil {
		if b, err = e.NewDecoder().Bytes(b); err != nil {
			return "", fmt.Errorf("is not in the charset that it names: %s", line(err.Error()))
		}
	}
	text := strings.ReplaceAll(strings.ReplaceAll(string(b), "\r\n", "\n"), "\r", "\n")
	if !utf8.ValidString(text) {
		return "", errors.New("is not in the charset that it names")
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\u00a0':
			return ' '
		case r < ' ' || r == 0x7f || r == '\ufeff':
			return -1
		}
		return r
	}, text), nil
}

// deliveryStatus reads the groups of a report (RFC 3464, 2.1): one of the
// message, and one for each recipient.
func (s *scan) deliveryStatus(body io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(body, maxText))
	if err != nil {
		return fmt.Errorf("has a report that cannot be decoded: %s", line(err.Error()))
	}
	for group := range strings.SplitSeq(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n\n") {
		m, err := mail.ReadMessage(strings.NewReader(strings.TrimLeft(group, "\n") + "\n\n"))
		if err != nil || !strings.EqualFold(strings.TrimSpace(m.Header.Get("Action")), "failed") {
			continue
		}
		s.failed = true
		s.status = line(m.Header.Get("Status"))
		_, said, _ := strings.Cut(m.Header.Get("Diagnostic-Code"), ";")
		s.diagnostic = line(said)
	}
	return nil
}

// returned reads the header of the letter that came back.
func (s *scan) returned(body io.Reader) error {
	const limit = 64 << 10
	m, err := mail.ReadMessage(io.MultiReader(bufio.NewReader(io.LimitReader(body, limit)), strings.NewReader("\r\n\r\n")))
	if err == nil { // one that cannot be read has told nothing
		s.tagsOf(m.Header)
	}
	return nil
}

// line is one line of at most 200 characters.
func line(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	const most = 200
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

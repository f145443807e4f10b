// Package smtptest is a mail server for tests: a real one on a socket, which
// keeps what it takes and refuses what it is told to.
package smtptest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// Letter is what the server took.
type Letter struct {
	From, To string // of the envelope
	Data     string // as it came, dots undone
	TLS      bool
	User     string // who signed in; "" nobody
}

// Server takes letters on the loopback.
type Server struct {
	Addr  string         // host:port
	Roots *x509.CertPool // that know its certificate

	NoTLS bool // offers no STARTTLS

	mu       sync.Mutex
	letters  []Letter
	answer   func(command string) string
	password string
	tls      *tls.Config
	listen   net.Listener
}

// Start starts a server that ends with the test. now is when its certificate is
// valid.
func Start(t testing.TB, now time.Time) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: l.Addr().String(), listen: l}
	if err := s.certify(now); err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { s.Serve(c, false) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	return s
}

// Stop takes no more letters: who dials is refused.
func (s *Server) Stop() { _ = s.listen.Close() }

// SetAnswer gives another answer to a command ("RCPT TO:<…>", "DATA", and "." for
// the end of a letter) than "yes"; "" is yes, "drop" breaks the line. nil: always yes.
func (s *Server) SetAnswer(answer func(command string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// SetPassword is that of whoever signs in; "" offers no sign-in.
func (s *Server) SetPassword(password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.password = password
}

// said is another answer than yes, and the password.
func (s *Server) said(command string) (answer, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answer != nil {
		answer = s.answer(command)
	}
	return answer, s.password
}

func (s *Server) certify(now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "smtptest"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		DNSNames: []string{"localhost", "mail.example.org"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		return err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	s.Roots = x509.NewCertPool()
	s.Roots.AddCert(parsed)
	s.tls = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	return nil
}

// Letters are those that were taken, in their order.
func (s *Server) Letters() []Letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Letter{}, s.letters...)
}

// Clear forgets what was taken.
func (s *Server) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.letters = nil
}

// session is one connection.
type session struct {
	*Server
	conn   net.Conn
	text   *textproto.Conn
	secure bool
	letter Letter
}

// Serve speaks to one client; secure: TLS from the first byte.
func (s *Server) Serve(c net.Conn, secure bool) {
	defer c.Close()
	if secure {
		c = tls.Server(c, s.tls)
	}
	x := &session{Server: s, conn: c, text: textproto.NewConn(c), secure: secure}
	_ = x.text.PrintfLine("220 smtptest ESMTP")
	for {
		line, err := x.text.ReadLine()
		if err != nil || !x.command(line) {
			return
		}
	}
}

func (x *session) say(format string, args ...any) bool {
	return x.text.PrintfLine(format, args...) == nil
}

// command answers one; false ends the connection.
func (x *session) command(line string) bool {
	switch said, _ := x.said(line); said {
	case "":
	case "drop":
		return false
	default:
		return x.say("%s", said)
	}
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO", "HELO":
		return x.hello()
	case "STARTTLS":
		return x.startTLS()
	case "AUTH":
		return x.auth(rest)
	case "MAIL":
		x.letter = Letter{From: address(rest), TLS: x.secure, User: x.letter.User}
		return x.say("250 ok")
	case "RCPT":
		x.letter.To = address(rest)
		return x.say("250 ok")
	case "DATA":
		return x.data()
	case "RSET", "NOOP":
		return x.say("250 ok")
	case "QUIT":
		x.say("221 bye")
		return false
	}
	return x.say("502 %s is not known here", verb)
}

func (x *session) hello() bool {
	lines := []string{"smtptest", "8BITMIME", "SMTPUTF8"}
	if !x.secure && !x.NoTLS {
		lines = append(lines, "STARTTLS")
	}
	if _, password := x.said("AUTH"); password != "" {
		lines = append(lines, "AUTH PLAIN")
	}
	for i, l := range lines {
		between := "-"
		if i == len(lines)-1 {
			between = " "
		}
		if !x.say("250%s%s", between, l) {
			return false
		}
	}
	return true
}

func (x *session) startTLS() bool {
	if !x.say("220 go on") {
		return false
	}
	x.conn = tls.Server(x.conn, x.tls)
	x.text, x.secure = textproto.NewConn(x.conn), true
	return true
}

func (x *session) auth(rest string) bool {
	_, encoded, _ := strings.Cut(rest, " ")
	b, err := base64.StdEncoding.DecodeString(encoded)
	parts := strings.Split(string(b), "\x00")
	const all = 3
	if _, password := x.said(""); err != nil || len(parts) != all || parts[2] != password {
		return x.say("535 5.7.8 wrong password")
	}
	x.letter.User = parts[1]
	return x.say("235 ok")
}

func (x *session) data() bool {
	if !x.say("354 go on") {
		return false
	}
	b, err := io.ReadAll(x.text.DotReader())
	if err != nil {
		return false
	}
	x.letter.Data = string(b)
	switch said, _ := x.said("."); said { // after the last dot
	case "":
	case "drop":
		x.take() // the server has it, and the client never hears so
		return false
	default:
		return x.say("%s", said)
	}
	x.take()
	return x.say("250 taken")
}

func (x *session) take() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.letters = append(x.letters, x.letter)
}

func address(s string) string {
	_, s, _ = strings.Cut(s, "<")
	s, _, _ = strings.Cut(s, ">")
	return s
}

// Text gives the words of a letter of one part.
func (l Letter) Text() (string, error) {
	m, err := mail.ReadMessage(strings.NewReader(l.Data))
	if err != nil {
		return "", err
	}
	body := m.Body
	switch m.Header.Get("Content-Transfer-Encoding") {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	b, err := io.ReadAll(body)
	return strings.ReplaceAll(string(b), "\r\n", "\n"), err
}

// Header gives a field of a letter's header, folded lines joined.
func (l Letter) Header(name string) string {
	h, err := textproto.NewReader(bufio.NewReader(strings.NewReader(l.Data))).ReadMIMEHeader()
	if err != nil {
		return fmt.Sprintf("no header: %v", err)
	}
	return h.Get(name)
}

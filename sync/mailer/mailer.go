// Package mailer hands one e-mail to one mail server, by SMTP (RFC 5321). What is
// in it, when it is tried and what becomes of it is decided elsewhere.
package mailer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"koprik/portal"
)

// Security is how the line to the mail server is kept from being read.
type Security string

// The ways. A password or a citizen's words never go over a line that others can
// read: None is for a server on this machine.
const (
	StartTLS Security = "starttls" // in the clear until STARTTLS, which must be offered (RFC 3207)
	TLS      Security = "tls"      // from the first byte (RFC 8314)
	None     Security = "none"     // on this machine only
)

// Securities are all of them.
var Securities = []Security{StartTLS, TLS, None}

// timeout bounds each letter, from dialling to the server's last word.
const timeout = time.Minute

// Server is where letters are handed to.
type Server struct {
	Host     string
	Port     int
	Security Security
	User     string                                                               // "": the server asks for none
	Password string                                                               // never written anywhere
	Roots    *x509.CertPool                                                       // nil: those of the machine
	Dial     func(ctx context.Context, network, address string) (net.Conn, error) // nil: the network
}

// Message is one letter.
type Message struct {
	From    string // address of the portal
	Name    string // of the portal, shown with From
	To      string
	ReplyTo string // also where reports of failure go; "" is From
	Subject string
	Text    string
	ID      string // of the letter, the same at every try: "<…@…>" without the brackets
	Date    time.Time
}

// ErrRecipient says that the server refused the recipient for good.
var ErrRecipient = errors.New("the mail server refuses the recipient")

// ErrDoubt says that the line broke when the whole letter was on its way: the
// server may have taken it.
var ErrDoubt = errors.New("the mail server may have taken the letter")

// Local tells whether a host is this machine.
func Local(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// Send hands a letter over; nil says that the server has taken it. A recipient
// that was refused for good is ErrRecipient; everything else is
// portal.ErrUnreachable and may be tried again. Errors hold no password and no
// words of the letter.
func (s Server) Send(ctx context.Context, m Message) error {
	client, err := s.client()
	if err != nil {
		return fmt.Errorf("mail server %s: %w", s.Host, err)
	}
	msg, err := compose(m)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRecipient, err)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return s.unreachable(err)
	}
	// What is said after the server has taken the letter changes nothing.
	defer client.CloseWithSMTPClient(conn) //nolint:errcheck // see above
	err = client.SendWithSMTPClient(conn, msg)
	var refused *mail.SendError
	if errors.As(err, &refused) && refused.Reason == mail.ErrSMTPRcptTo && !refused.IsTemp() {
		return fmt.Errorf("%w: %s", ErrRecipient, oneLine(refused.Error()))
	}
	switch {
	case err == nil || msg.IsDelivered():
		return nil
	case refused != nil && refused.Reason == mail.ErrSMTPDataClose && refused.ErrorCode() == 0:
		return errors.Join(s.unreachable(err), ErrDoubt)
	}
	return s.unreachable(err)
}

func (s Server) unreachable(err error) error {
	return &portal.Problem{
		Kind: portal.ErrUnreachable, Where: fmt.Sprintf("mail server %s:%d", s.Host, s.Port), Message: "takes no letters now: " + oneLine(err.Error()),
		Hint: "letters wait and are tried again; koprik inquiry letters shows them",
	}
}

// oneLine keeps what a server said from breaking out of its line.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	const most = 300
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

func (s Server) client() (*mail.Client, error) {
	options := []mail.Option{
		mail.WithPort(s.Port), mail.WithTimeout(timeout), mail.WithTLSConfig(&tls.Config{ServerName: s.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}),
		mail.WithoutNoop(),
	}
	switch {
	case s.Security == TLS:
		options = append(options, mail.WithSSL())
	case s.Security == StartTLS:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case s.Security == None && Local(s.Host):
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		return nil, fmt.Errorf("%q is no way to reach a mail server on another machine", s.Security)
	}
	if s.User != "" {
		kind := mail.SMTPAuthAutoDiscover
		if s.Security == None {
			kind = mail.SMTPAuthPlainNoEnc
		}
		options = append(options, mail.WithSMTPAuth(kind), mail.WithUsername(s.User), mail.WithPassword(s.Password))
	}
	if s.Dial != nil {
		options = append(options, mail.WithDialContextFunc(mail.DialContextFunc(s.Dial)))
	}
	return mail.NewClient(s.Host, options...)
}

func compose(m Message) (*mail.Msg, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	back := m.ReplyTo
	if back == "" {
		back = m.From
	}
	if err := errors.Join(msg.FromFormat(m.Name, m.From), msg.To(m.To), msg.EnvelopeFrom(back), msg.ReplyTo(back)); err != nil {
		return nil, fmt.Errorf("an address of the letter is none: %w", err)
	}
	msg.Subject(m.Subject)
	msg.SetMessageIDWithValue(m.ID)
	msg.SetDateWithValue(m.Date)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: absence notes need not answer
	msg.SetBodyString(mail.TypeTextPlain, m.Text)
	return msg, nil
}

// ParseSecurity reads a setting.
func ParseSecurity(s string) (Security, error) {
	if !slices.Contains(Securities, Security(s)) {
		return "", errors.New("must be starttls, tls or none")
	}
	return Security(s), nil
}

package node

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"koprik/portal"
	"koprik/sync/mailer"
)

// mailPasswordEnv has the password of the mail server. It is no setting: it
// stands in no file of the data directory and is printed by nothing.
const mailPasswordEnv = "KOPRIK_MAIL_PASSWORD" //nolint:gosec // its name, no password

const maxConfirmDays = 3650

// mailSettings say how a centre writes letters.
var mailSettings = []Setting{
	{
		Key: "address", Help: "web address of this portal as its letters write it, like https://data.example.org; needed for letters",
		get: func(c *Config) string { return c.Address },
		set: func(c *Config, v string) error {
			c.Address = strings.TrimSuffix(v, "/")
			u, err := url.Parse(c.Address)
			if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
				return errors.New("must be an http or https address without a path, like https://data.example.org")
			}
			return checkLine(v, 200)
		},
	},
	{
		Key: "mail_server", Help: "host and port of the mail server that takes a centre's letters, like mail.example.org:587; empty: no letters",
		get: func(c *Config) string { return c.MailServer },
		set: func(c *Config, v string) error {
			c.MailServer = v
			host, port, err := net.SplitHostPort(v)
			if n, bad := strconv.Atoi(port); err != nil || bad != nil || host == "" || n < 1 || n > 65535 {
				return errors.New("must be a host and a port, like mail.example.org:587")
			}
			return checkLine(v, 200)
		},
	},
	{
		Key: "mail_security", Default: "starttls", Help: "how the line to the mail server is kept from being read: starttls, tls (from the first byte), or none, for a server on this machine",
		get: func(c *Config) string { return string(c.MailSecurity) },
		set: func(c *Config, v string) (err error) { c.MailSecurity, err = mailer.ParseSecurity(v); return err },
	},
	{
		Key: "mail_from", Help: "e-mail address that letters come from; needed for letters",
		get: func(c *Config) string { return c.MailFrom },
		set: func(c *Config, v string) error { c.MailFrom = v; return checkAddress(v) },
	},
	{
		Key: "mail_reply", Help: "e-mail address whose mail is given to koprik mail-in, for answers and reports of failure; +TAG is added before its @; empty: letters are answered by their link alone",
		get: func(c *Config) string { return c.MailReply },
		set: func(c *Config, v string) error {
			c.MailReply = v
			const longest = 40
			if local, _, _ := strings.Cut(v, "@"); len(local) > longest {
				return fmt.Errorf("must have at most %d characters before its @", longest)
			}
			return checkAddress(v)
		},
	},
	{
		Key: "mail_user", Help: "name to sign in at the mail server by; the password stands in mail_password_file or in KOPRIK_MAIL_PASSWORD; empty: nobody signs in",
		get: func(c *Config) string { return c.MailUser },
		set: func(c *Config, v string) error { c.MailUser = v; return checkLine(v, 200) },
	},
	{
		Key: "mail_password_file", Help: "file with the password of mail_user, and nothing else; relative to the data directory",
		get: func(c *Config) string { return c.MailPasswordFile },
		set: func(c *Config, v string) error { c.MailPasswordFile = v; return checkLine(v, 1000) },
	},
	{
		Key: "mail_ca_file", Help: "file with the certificates (PEM) that the mail server's is checked by; relative to the data directory; empty: those of the machine",
		get: func(c *Config) string { return c.MailCAFile },
		set: func(c *Config, v string) error { c.MailCAFile = v; return checkLine(v, 1000) },
	},
	{
		Key: "confirm_every_days", Default: "180", Help: "after how many days without a sign of life those who answer for data are asked by letter whether they still do; 0: nobody is asked",
		get: func(c *Config) string { return strconv.Itoa(c.ConfirmEvery) },
		set: func(c *Config, v string) (err error) {
			c.ConfirmEvery, err = strconv.Atoi(v)
			if err != nil || c.ConfirmEvery < 0 || c.ConfirmEvery > maxConfirmDays {
				return fmt.Errorf("must be a number of days from 0 to %d", maxConfirmDays)
			}
			return nil
		},
	},
}

func checkAddress(v string) error {
	if portal.CheckEmail(v) != nil {
		return errors.New("must be an e-mail address, without a name")
	}
	return nil
}

// checkMail says what letters lack.
func (c *Config) checkMail() error {
	if c.MailServer == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(c.MailServer)
	var ps portal.Problems
	if c.MailFrom == "" {
		ps.Add(configFile+": mail_from", "is missing: mail_server needs it")
	}
	if c.Address == "" {
		ps.Add(configFile+": address", "is missing: mail_server needs it, for the links in letters")
	}
	if err == nil && c.MailSecurity == mailer.None && !mailer.Local(host) {
		ps.Add(configFile+": mail_security", "none is for a mail server on this machine: others would read citizens' words on the way to %s", host)
	}
	return ps.Err()
}

// mailServer is where letters go; ok is false where none are written. What is
// wrong with the password's file or the certificates is portal.ErrRejected.
func (n *Node) mailServer() (s mailer.Server, ok bool, err error) {
	c := n.config
	if c.MailServer == "" || !n.central() {
		return s, false, nil
	}
	host, port, err := net.SplitHostPort(c.MailServer)
	if err != nil {
		return s, false, err
	}
	s = mailer.Server{Host: host, Security: c.MailSecurity, User: c.MailUser, Dial: n.opt.Dial}
	if s.Port, err = strconv.Atoi(port); err != nil {
		return s, false, err
	}
	if s.User != "" {
		if s.Password, err = n.mailPassword(); err != nil {
			return s, false, err
		}
	}
	if c.MailCAFile != "" {
		pem, err := n.secretFile("mail_ca_file", c.MailCAFile, 1<<20)
		if err != nil {
			return s, false, err
		}
		s.Roots = x509.NewCertPool()
		if !s.Roots.AppendCertsFromPEM(pem) {
			return s, false, portal.Rejected("mail_ca_file "+c.MailCAFile, "has no certificate in it (PEM)")
		}
	}
	return s, true, nil
}

// mailPassword reads it when it is needed, so that it can be changed without a
// restart.
func (n *Node) mailPassword() (string, error) {
	if p := n.opt.Environ(mailPasswordEnv); p != "" {
		return p, nil
	}
	if n.config.MailPasswordFile == "" {
		return "", portal.Rejected("mail_user", "has no password").WithHint("put it into a file that mail_password_file names, or into %s", mailPasswordEnv)
	}
	const limit = 4 << 10
	b, err := n.secretFile("mail_password_file", n.config.MailPasswordFile, limit)
	if err != nil {
		return "", err
	}
	password := strings.TrimRight(string(b), "\r\n")
	if password == "" || strings.ContainsAny(password, "\n\r\x00") {
		return "", portal.Rejected("mail_password_file "+n.config.MailPasswordFile, "must hold one line, the password")
	}
	return password, nil
}

// secretFile reads a file that a setting names. Its error does not hold what
// stands in it.
func (n *Node) secretFile(setting, name string, limit int64) ([]byte, error) {
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(n.dir, path)
	}
	info, err := os.Stat(path)
	var b []byte
	switch {
	case err != nil:
	case !info.Mode().IsRegular() || info.Size() > limit:
		err = fmt.Errorf("is no file of at most %d bytes", limit)
	default:
		b, err = os.ReadFile(path)
	}
	var in *os.PathError
	if errors.As(err, &in) {
		err = in.Err // the path was said
	}
	if err != nil {
		return nil, portal.Rejected(setting+" "+name, "cannot be read: %v", err)
	}
	return b, nil
}

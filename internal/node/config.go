package node

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/mail"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/portal/region"
	"koprik/sync/mailer"
)

// configFile is the node's configuration, in its data directory.
const configFile = "koprik.toml"

const maxConfig = 1 << 20

// Config is how a node is set. Every field is one row of Settings.
type Config struct {
	Role         portal.Role
	Title        string
	Contact      string
	Publisher    portal.PublisherID
	Upstream     string
	Listen       string
	KioskListen  string
	Region       string
	SyncInterval time.Duration
	OldAfterDays int
	Relay        bool

	TalkbackEvery  time.Duration
	UsagePublisher portal.PublisherID // "": none by itself

	Address          string // of the portal, as letters write it
	MailServer       string // host:port; "": no letters
	MailSecurity     mailer.Security
	MailFrom         string
	MailReply        string
	MailUser         string
	MailPasswordFile string
	MailCAFile       string
	ConfirmEvery     int // days; 0: nobody is asked

	Upstreams        []string // after Upstream, in order
	SyncHours        Hours
	BytesADay        int64 // 0: no limit
	DiskQuota        int64 // bytes; 0: none
	WantedThemes     []portal.ThemeID
	WantedPublishers []portal.PublisherID
	NeverFormats     []string

	sources map[string]string // key → "default", "koprik.toml", "KOPRIK_LISTEN", "--listen"
}

// Setting is one row of the configuration table: where a value can come from,
// and what it means. A flag wins over the environment, which wins over the file.
type Setting struct {
	Key     string // in koprik.toml
	Default string
	Help    string
	set     func(c *Config, value string) error
	get     func(c *Config) string
}

// Env is the setting's environment variable.
func (s Setting) Env() string { return "KOPRIK_" + strings.ToUpper(s.Key) }

// Flag is the setting's name as a command-line flag.
func (s Setting) Flag() string { return strings.ReplaceAll(s.Key, "_", "-") }

// Value is what the setting is in c, and where that came from.
func (s Setting) Value(c Config) (value, source string) { return s.get(&c), c.sources[s.Key] }

// Settings is the whole configuration; `koprik config show` prints it.
var Settings = slices.Concat(nodeSettings, followSettings, talkSettings, usageSettings, mailSettings)

// nodeSettings say what a node is.
var nodeSettings = []Setting{
	{
		Key: "role", Help: "what this node does: central, agency or mirror; set by koprik init",
		get: func(c *Config) string { return string(c.Role) },
		set: func(c *Config, v string) error {
			c.Role = portal.Role(v)
			if !slices.Contains([]portal.Role{portal.Central, portal.Agency, portal.Mirror}, c.Role) {
				return errors.New("must be central, agency or mirror")
			}
			return nil
		},
	},
	{
		Key: "title", Help: "the portal's name on every page",
		get: func(c *Config) string { return c.Title },
		set: func(c *Config, v string) error { c.Title = v; return checkLine(v, 200) },
	},
	{
		Key: "contact", Help: "e-mail of the office that runs this node, shown on its page",
		get: func(c *Config) string { return c.Contact },
		set: func(c *Config, v string) error {
			c.Contact = v
			if _, err := mail.ParseAddress(v); v != "" && err != nil {
				return errors.New("must be an e-mail address")
			}
			return nil
		},
	},
	{
		Key: "publisher", Default: "main", Help: "the publisher that koprik publish signs for when nobody says",
		get: func(c *Config) string { return string(c.Publisher) },
		set: func(c *Config, v string) (err error) { c.Publisher, err = portal.ParsePublisherID(v); return err },
	},
	{
		Key: "upstream", Help: "where a mirror takes its copy from: an http(s) address or a folder",
		get: func(c *Config) string { return c.Upstream },
		set: func(c *Config, v string) error { c.Upstream = v; return checkUpstream(v) },
	},
	{
		Key: "listen", Default: "127.0.0.1:8080", Help: "address and port that pages are served on",
		get: func(c *Config) string { return c.Listen },
		set: func(c *Config, v string) error {
			c.Listen = v
			if _, _, err := net.SplitHostPort(v); err != nil {
				return errors.New("must be an address and a port, like 127.0.0.1:8080")
			}
			return checkLine(v, 200)
		},
	},
	{
		Key: "kiosk_listen", Help: "address and port that the pages of a public screen are served on; empty: none",
		get: func(c *Config) string { return c.KioskListen },
		set: func(c *Config, v string) error {
			c.KioskListen = v
			if _, _, err := net.SplitHostPort(v); v != "" && err != nil {
				return errors.New("must be an address and a port, like 127.0.0.1:8082")
			}
			return checkLine(v, 200)
		},
	},
	{
		Key: "region", Help: "region of the office with the public screen, by ISO 3166-2, like UZ-XO: its figures stand on the first page there; empty: none",
		get: func(c *Config) string { return c.Region },
		set: func(c *Config, v string) error {
			c.Region = v
			if v != "" && !region.IsRegion(v) {
				return errors.New("must be the code of a region by ISO 3166-2, like UZ-TK or UZ-XO")
			}
			return nil
		},
	},
	{
		Key: "sync_interval", Default: "15m0s", Help: "how often a serving mirror asks its upstream, at least 1s",
		get: func(c *Config) string { return c.SyncInterval.String() },
		set: func(c *Config, v string) (err error) {
			c.SyncInterval, err = time.ParseDuration(v)
			if err != nil || c.SyncInterval < time.Second {
				return errors.New("must be a duration of at least 1s, like 15m or 24h")
			}
			return nil
		},
	},
	{
		Key: "old_after_days", Default: "365", Help: "age in days from which a copy is called OLD",
		get: func(c *Config) string { return strconv.Itoa(c.OldAfterDays) },
		set: func(c *Config, v string) (err error) {
			c.OldAfterDays, err = strconv.Atoi(v)
			if err != nil || c.OldAfterDays < 1 || c.OldAfterDays > 36500 {
				return errors.New("must be a number of days from 1 to 36500")
			}
			return nil
		},
	},
	{
		Key: "relay", Default: "true", Help: "whether a mirror keeps a repository for further mirrors (costs disk)",
		get: func(c *Config) string { return strconv.FormatBool(c.Relay) },
		set: func(c *Config, v string) (err error) {
			if c.Relay, err = strconv.ParseBool(v); err != nil {
				return errors.New("must be true or false")
			}
			return nil
		},
	},
}

func checkLine(v string, limit int) error {
	if len(v) > limit || strings.ContainsAny(v, "\n\r\x00") {
		return fmt.Errorf("must be one line of at most %d bytes", limit)
	}
	return nil
}

func checkUpstream(v string) error {
	if u, err := url.Parse(v); err == nil && u.Scheme != "" && len(u.Scheme) > 1 && u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("must be an http or https address, or a folder")
	}
	return checkLine(v, 2000)
}

// LoadConfig reads koprik.toml in dir, then the environment, then flags (by
// setting key; only those that were given).
func LoadConfig(root disk.FS, environ func(string) string, flags map[string]string) (Config, error) {
	c := Config{sources: map[string]string{}}
	for _, s := range Settings {
		if s.Default != "" {
			if err := s.set(&c, s.Default); err != nil {
				return c, fmt.Errorf("default of %s: %w", s.Key, err)
			}
		}
		c.sources[s.Key] = "default"
	}
	values, err := readTOML(root)
	if err != nil {
		return c, err
	}
	for _, s := range Settings {
		for _, given := range []struct{ source, value string }{
			{configFile, values[s.Key]}, {s.Env(), environ(s.Env())}, {"--" + s.Flag(), flags[s.Key]},
		} {
			if given.value == "" {
				continue
			}
			if err := s.set(&c, given.value); err != nil {
				p := portal.Rejected(given.source+": "+s.Key, "%q: %v", given.value, err)
				if given.source == "--"+s.Flag() {
					p.Kind, p.Where = portal.ErrUsage, given.source
				}
				return c, p
			}
			c.sources[s.Key] = given.source
		}
	}
	return c, c.checkMail()
}

// ReadConfig is LoadConfig of a data directory that is not otherwise opened.
func ReadConfig(dir string, environ func(string) string, flags map[string]string) (c Config, err error) {
	defer named(dir, &err)
	if err := isDir(dir); err != nil {
		return c, err
	}
	root, err := disk.OpenRoot(dir)
	if err != nil {
		return c, err
	}
	defer root.Close() //nolint:errcheck // opened for reading
	return LoadConfig(root, environ, flags)
}

// readTOML gives every value as text; an unknown key is an error that names it.
func readTOML(root disk.FS) (map[string]string, error) {
	b, err := disk.ReadFile(root, configFile, maxConfig)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &portal.Problem{
				Kind: portal.ErrNotFound, Where: configFile, Message: "there is no Koprik node in this data directory",
				Hint: "koprik init makes one; --dir or KOPRIK_DIR names another directory", Cause: err,
			}
		}
		return nil, err
	}
	var raw map[string]any
	if err := toml.Unmarshal(b, &raw); err != nil {
		return nil, portal.Rejected(configFile, "%v", err)
	}
	values := map[string]string{}
	for key, v := range raw {
		if !slices.ContainsFunc(Settings, func(s Setting) bool { return s.Key == key }) {
			return nil, portal.Rejected(configFile, "unknown setting %q", key).WithHint("koprik config show lists all settings")
		}
		switch v := v.(type) {
		case string, int64, bool:
			values[key] = fmt.Sprint(v)
		case []any:
			parts := make([]string, len(v))
			for i, part := range v {
				parts[i] = fmt.Sprint(part)
			}
			values[key] = strings.Join(parts, ",")
		default:
			return nil, portal.Rejected(configFile+": "+key, "must be text, a number, true/false or a list of texts")
		}
	}
	return values, nil
}

// writeConfig writes the settings of c that are not defaults.
func writeConfig(root disk.FS, c Config) error {
	var out bytes.Buffer
	out.WriteString("# Settings of this Koprik node. koprik config show explains each.\n")
	for _, s := range Settings {
		v := s.get(&c)
		if v == "" || v == s.Default {
			continue
		}
		fmt.Fprintf(&out, "%s = %q\n", s.Key, v)
	}
	return disk.WriteFile(root, configFile, out.Bytes())
}

// Environ is the process's environment.
func Environ(key string) string { return os.Getenv(key) }

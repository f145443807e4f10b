package node

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"koprik/portal"
)

// followSettings say how a mirror follows: from whom, when, and how much of it.
var followSettings = []Setting{
	{
		Key: "upstreams", Help: "further upstreams in order, with commas between, for when those before them cannot be reached or have nothing newer",
		get: func(c *Config) string { return strings.Join(c.Upstreams, ",") },
		set: func(c *Config, v string) error {
			c.Upstreams = splitList(v)
			for _, u := range c.Upstreams {
				if err := checkUpstream(u); err != nil {
					return fmt.Errorf("%q: %w", u, err)
				}
			}
			return nil
		},
	},
	{
		Key: "sync_hours", Help: "hours in which a serving mirror syncs by itself, by the machine's clock, like 22:00-06:00; empty: always",
		get: func(c *Config) string { return c.SyncHours.String() },
		set: func(c *Config, v string) (err error) { c.SyncHours, err = parseHours(v); return err },
	},
	{
		Key: "bytes_a_day", Help: "most bytes of contents that a serving mirror fetches in a day by itself, like 20MB; empty: no limit",
		get: func(c *Config) string { return formatSize(c.BytesADay) },
		set: func(c *Config, v string) (err error) { c.BytesADay, err = parseSize(v); return err },
	},
	{
		Key: "disk_quota", Help: "most bytes that contents may take on this machine, like 20GB; empty: what the disk holds",
		get: func(c *Config) string { return formatSize(c.DiskQuota) },
		set: func(c *Config, v string) (err error) { c.DiskQuota, err = parseSize(v); return err },
	},
	{
		Key: "wanted_themes", Help: "contents come only for datasets of these themes, with commas between; empty: all",
		get: func(c *Config) string { return joinList(c.WantedThemes) },
		set: func(c *Config, v string) error {
			c.WantedThemes = nil
			for _, t := range splitList(v) {
				if !portal.IsTheme(portal.ThemeID(t)) {
					return fmt.Errorf("%q is no theme; the themes are %s", t, joinList(portal.Themes))
				}
				c.WantedThemes = append(c.WantedThemes, portal.ThemeID(t))
			}
			return nil
		},
	},
	{
		Key: "wanted_publishers", Help: "contents come only for datasets of these publishers, with commas between; empty: all",
		get: func(c *Config) string { return joinList(c.WantedPublishers) },
		set: func(c *Config, v string) error {
			c.WantedPublishers = nil
			for _, t := range splitList(v) {
				p, err := portal.ParsePublisherID(t)
				if err != nil {
					return err
				}
				c.WantedPublishers = append(c.WantedPublishers, p)
			}
			return nil
		},
	},
	{
		Key: "never_formats", Help: "files of these formats do not come, with commas between, like pdf,zip; empty: all come",
		get: func(c *Config) string { return strings.Join(c.NeverFormats, ",") },
		set: func(c *Config, v string) error {
			c.NeverFormats = splitList(v)
			for _, f := range c.NeverFormats {
				if strings.ToLower(f) != f || strings.ContainsAny(f, " ./") {
					return fmt.Errorf("%q: must be a format in small letters, like pdf", f)
				}
			}
			return nil
		},
	},
}

func splitList(v string) []string {
	var list []string
	for part := range strings.SplitSeq(v, ",") {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(list, part) {
			list = append(list, part)
		}
	}
	return list
}

func joinList[S ~string](list []S) string {
	texts := make([]string, len(list))
	for i, s := range list {
		texts[i] = string(s)
	}
	return strings.Join(texts, ",")
}

// units are those of parseSize, the larger first.
var units = []struct {
	name  string
	bytes int64
}{{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}}

var errSize = errors.New("must be a size, like 500KB, 20MB or 2GB")

// parseSize reads "20MB" as bytes; "" and "0" are 0.
func parseSize(v string) (int64, error) {
	number, unit := strings.TrimSpace(v), int64(1)
	if number == "" {
		return 0, nil
	}
	for _, u := range units {
		if rest, ok := strings.CutSuffix(strings.ToUpper(number), u.name); ok {
			number, unit = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/unit {
		return 0, errSize
	}
	return n * unit, nil
}

func formatSize(n int64) string {
	if n == 0 {
		return ""
	}
	for _, u := range units {
		if n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

// Hours are a part of the day, in minutes since midnight by the machine's clock.
// Equal ends are the whole day.
type Hours struct{ From, To int }

var errHours = errors.New("must be hours of a day, like 22:00-06:00")

// parseHours reads "22:00-06:00"; "" is the whole day.
func parseHours(v string) (h Hours, err error) {
	if strings.TrimSpace(v) == "" {
		return h, nil
	}
	from, to, ok := strings.Cut(v, "-")
	if !ok {
		return h, errHours
	}
	if h.From, err = parseMinute(from); err != nil {
		return Hours{}, err
	}
	if h.To, err = parseMinute(to); err != nil {
		return Hours{}, err
	}
	if h.From == h.To {
		return Hours{}, errHours
	}
	return h, nil
}

func parseMinute(v string) (int, error) {
	t, err := time.Parse("15:04", strings.TrimSpace(v))
	if err != nil {
		return 0, errHours
	}
	return t.Hour()*60 + t.Minute(), nil
}

// String is the spelling that parseHours reads.
func (h Hours) String() string {
	if h.From == h.To {
		return ""
	}
	return fmt.Sprintf("%02d:%02d-%02d:%02d", h.From/60, h.From%60, h.To/60, h.To%60)
}

// Wait says how long it is from now until the hours begin; 0 within them.
func (h Hours) Wait(now time.Time) time.Duration {
	const day = 24 * 60
	minute := now.Hour()*60 + now.Minute()
	if h.From == h.To || (minute-h.From+day)%day < (h.To-h.From+day)%day {
		return 0
	}
	wait := time.Duration((h.From-minute+day)%day) * time.Minute
	return wait - time.Duration(now.Second())*time.Second
}

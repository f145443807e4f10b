package node

import (
	"testing"
	"time"
)

func TestSizesAreReadAndSaidInOneSpelling(t *testing.T) {
	for text, want := range map[string]int64{
		"": 0, "0": 0, "512": 512, "20MB": 20e6, "20 mb": 20e6, "2GB": 2e9, "1TB": 1e12, "1500KB": 15e5,
	} {
		got, err := parseSize(text)
		if err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
		if again, err := parseSize(formatSize(got)); err != nil || again != got {
			t.Errorf("%q comes back as %q: %d, %v", text, formatSize(got), again, err)
		}
	}
	for _, bad := range []string{"-1", "MB", "2.5GB", "20 apples", "99999999999TB", "1e9", "20MBMB"} {
		if got, err := parseSize(bad); err == nil {
			t.Errorf("%q is read as %d", bad, got)
		}
	}
}

func TestHoursSayHowLongToWait(t *testing.T) {
	at := func(hour, minute, second int) time.Time {
		return time.Date(2026, 11, 23, hour, minute, second, 0, time.UTC)
	}
	for _, tt := range []struct {
		hours string
		now   time.Time
		want  time.Duration
	}{
		{"", at(12, 0, 0), 0},
		{"22:00-06:00", at(12, 0, 0), 10 * time.Hour},
		{"22:00-06:00", at(21, 59, 30), 30 * time.Second},
		{"22:00-06:00", at(22, 0, 0), 0},
		{"22:00-06:00", at(3, 0, 0), 0},
		{"22:00-06:00", at(5, 59, 59), 0},
		{"22:00-06:00", at(6, 0, 0), 16 * time.Hour},
		{"08:30-09:00", at(8, 29, 0), time.Minute},
		{"08:30-09:00", at(9, 0, 0), 23*time.Hour + 30*time.Minute},
	} {
		h, err := parseHours(tt.hours)
		if err != nil || h.String() != tt.hours {
			t.Fatalf("%q: %q, %v", tt.hours, h, err)
		}
		if got := h.Wait(tt.now); got != tt.want {
			t.Errorf("%s at %s: wait %v, want %v", tt.hours, tt.now.Format("15:04:05"), got, tt.want)
		}
	}
	for _, bad := range []string{"22", "22:00", "25:00-06:00", "06:00-06:00", "a-b", "22:00-06:60"} {
		if h, err := parseHours(bad); err == nil {
			t.Errorf("%q is read as %q", bad, h)
		}
	}
}

func TestSettingsOfFollowingAreReadFromListsAndRefusedInWords(t *testing.T) {
	c, err := SetConfig(map[string]string{
		"role": "mirror", "upstreams": "http://a.example, /mnt/b ,http://a.example", "wanted_themes": "health,education",
		"wanted_publishers": "health", "never_formats": "pdf,zip",
	})
	if err != nil || len(c.Upstreams) != 2 || len(c.WantedThemes) != 2 || len(c.WantedPublishers) != 1 || len(c.NeverFormats) != 2 {
		t.Fatalf("%+v, %v", c, err)
	}
	for key, bad := range map[string]string{
		"upstreams": "ftp://a.example", "wanted_themes": "weather", "wanted_publishers": "Not A Slug", "never_formats": "PDF",
		"bytes_a_day": "much", "disk_quota": "-1", "sync_hours": "at night",
	} {
		if _, err := SetConfig(map[string]string{"role": "mirror", key: bad}); err == nil {
			t.Errorf("%s = %q is taken", key, bad)
		}
	}
}

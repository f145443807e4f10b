package table

import (
	"context"
	"os"
	"slices"
	"testing"
)

// TestASmallFileHasTheValuesOfItsTables: read from itself, and read from the
// tables that were made of it.
func TestASmallFileHasTheValuesOfItsTables(t *testing.T) {
	for name, text := range map[string]string{
		"t.csv":     "tuman,yil,aholi,jins\nChirchiq,2023,1000,ayol\nZangiota,2023,2000,erkak\n,2024,1010,ayol\nChirchiq,2024,,erkak\n",
		"empty.csv": "a,b\n",
		"t.json":    `[{"hudud":"Buxoro","ha":true,"son":1.5},{"hudud":"Navoiy","ha":false,"son":2}]`,
		"bad.csv":   "\x00\x01\x02",
		"t.pdf":     "%PDF-1.7",
	} {
		s, m := newStore(t)
		r := m.add(name, []byte(text))
		before := valuesIn(t, s, r, 100)
		if entries, err := os.ReadDir(s.dir); err == nil && len(entries) > 0 {
			t.Errorf("%s: tables were made: %v", name, entries)
		}
		if _, err := s.Ensure(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		if after := valuesIn(t, s, r, 100); !slices.Equal(before, after) {
			t.Errorf("%s: %q read from itself, %q from its tables", name, before, after)
		}
	}
}

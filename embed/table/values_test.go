package table

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"koprik/portal"
)

func valuesIn(t testing.TB, s *Store, r portal.Resource, limit int) []string {
	t.Helper()
	values, err := s.Values(context.Background(), r, limit)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func TestValuesAreTheWordsOfCategories(t *testing.T) {
	s, m := newStore(t)
	r := m.add("t.csv", []byte("tuman,yil,aholi,izoh\nChirchiq,2023,1000,\nZangiota,2023,2000,"+strings.Repeat("uzun izoh ", 20)+"\nChirchiq,2024,1010,\n"))
	got := valuesIn(t, s, r, 100)
	for _, want := range []string{"Chirchiq", "Zangiota"} {
		if !slices.Contains(got, want) {
			t.Errorf("%q are without %q", got, want)
		}
	}
	if slices.ContainsFunc(got, func(v string) bool { return v == "1000" || strings.HasPrefix(v, "uzun") }) {
		t.Errorf("measures or remarks are among %q", got)
	}
	if got := valuesIn(t, s, r, 1); len(got) != 1 {
		t.Errorf("at most one: %q", got)
	}
}

func TestAColumnOfTooManyWordsHasNoValues(t *testing.T) {
	s, m := newStore(t)
	var b strings.Builder
	b.WriteString("kalit,guruh\n")
	for i := range maxCategories + 1 {
		fmt.Fprintf(&b, "kalit soʻz %d,%s\n", i, []string{"bir", "ikki"}[i%2])
	}
	got := valuesIn(t, s, m.add("t.csv", []byte(b.String())), 10_000)
	if len(got) != 2 {
		t.Errorf("%d values, want those of the second column", len(got))
	}
}

func TestADocumentHasNoValuesAndBytesElsewhereAreNotHeld(t *testing.T) {
	s, m := newStore(t)
	if got := valuesIn(t, s, m.add("t.pdf", []byte("%PDF-1.7")), 10); len(got) != 0 {
		t.Errorf("values of a document: %q", got)
	}
	_, err := s.Values(context.Background(), portal.Resource{Name: "t", Path: "t.csv", Hash: portal.DigestOf([]byte("x"))}, 10)
	if !errors.Is(err, portal.ErrNotHeld) {
		t.Errorf("got %v", err)
	}
}

// Package siat reads indicators as the statistics office of Uzbekistan gives
// them out at siat.stat.uz: one JSON file with the indicator's metadata in four
// languages, which is a whole data passport, and a wide table with one member a
// period.
//
// What was seen in real files: labels with and without a colon, four kinds of
// apostrophe, a Latin O in a Russian label, the Cyrillic М in "2026-М01", an
// indicator with two names. Titles and notes are kept as published.
package siat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"koprik/portal"
	"koprik/portal/datapackage"
	"koprik/portal/lang"
)

// MaxFile bounds an indicator's file, in bytes. The largest seen has 425,254.
const MaxFile = 16 << 20

// Decode reads one indicator into a draft with two resources: "table", the
// figures as tidy CSV (code, name_uz, name_uz_cyrl, name_ru, name_en, period,
// value), and "original", the bytes as given. The dataset is named after the
// indicator's code, "siat-1-11-01-0026". SIAT says when an indicator was last
// changed and not when it was uploaded: the passport takes that day for both.
//
// Anything that is no SIAT indicator, and figures that contradict each other,
// are portal.ErrRejected; where names the file.
func Decode(data []byte, where string) (datapackage.Draft, error) {
	if len(data) > MaxFile {
		return datapackage.Draft{}, portal.Rejected(where, "%d bytes long, at most %d are allowed", len(data), MaxFile)
	}
	if !utf8.Valid(data) {
		return datapackage.Draft{}, portal.Rejected(where, "is not UTF-8")
	}
	r := reader{dec: json.NewDecoder(bytes.NewReader(data)), table: &table{cells: map[place]*cell{}}}
	r.dec.UseNumber()
	if err := r.file(); err != nil {
		return datapackage.Draft{}, portal.Rejected(where, "no SIAT indicator: %v", err)
	}
	d, err := r.draft(data)
	if err != nil {
		return datapackage.Draft{}, portal.Rejected(where, "%v", err)
	}
	if problems := d.Release.ValidateContent(); len(problems) > 0 {
		return datapackage.Draft{}, problems.Under(where).Err()
	}
	return d, nil
}

// item is one line of the metadata: its label and its value by language.
type item struct {
	NameUz   word `json:"name_uz"`
	NameUzc  word `json:"name_uzc"`
	NameRu   word `json:"name_ru"`
	NameEn   word `json:"name_en"`
	ValueUz  word `json:"value_uz"`
	ValueUzc word `json:"value_uzc"`
	ValueRu  word `json:"value_ru"`
	ValueEn  word `json:"value_en"`
}

func (i item) label() portal.Text {
	return inFour(string(i.NameUz), string(i.NameUzc), string(i.NameRu), string(i.NameEn))
}

func (i item) value() portal.Text {
	return inFour(string(i.ValueUz), string(i.ValueUzc), string(i.ValueRu), string(i.ValueEn))
}

// word is a text, or a number where one is meant, or nothing.
type word string

// UnmarshalJSON takes texts and numbers; null is the empty text.
func (w *word) UnmarshalJSON(b []byte) error {
	var v any
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
	case string:
		*w = word(clean(v))
	case json.Number:
		*w = word(v)
	default:
		return fmt.Errorf("%.60s is no text", b)
	}
	return nil
}

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\ufeff", "")

// clean takes away controls and what turns the direction of a text; the
// wording stays as published.
func clean(s string) string {
	s = lineEnds.Replace(s)
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		case unicode.IsControl(r):
			return ' '
		}
		return r
	}, s))
}

// inFour makes a text of wordings; the Uzbek one, or the first there is, is the
// plain one.
func inFour(uz, uzc, ru, en string) portal.Text {
	var t portal.Text
	for _, w := range []struct {
		l portal.Lang
		s string
	}{{portal.Uzbek, uz}, {portal.UzbekCyrillic, uzc}, {portal.Russian, ru}, {portal.English, en}} {
		if w.s == "" {
			continue
		}
		if t.Translated == nil {
			t.Plain, t.Translated = w.s, map[portal.Lang]string{}
		}
		t.Translated[w.l] = w.s
	}
	return t
}

// reader walks through the file once; the table is written while it is read.
type reader struct {
	dec   *json.Decoder
	items []item
	table *table
}

const maxItems = 200

func (r *reader) file() error {
	list := false
	switch t, err := r.dec.Token(); {
	case err != nil:
		return fmt.Errorf("no JSON: %w", err)
	case t == json.Delim('['):
		list = true
		if t, err := r.dec.Token(); err != nil || t != json.Delim('{') {
			return fmt.Errorf("a list with an indicator in it is expected")
		}
	case t != json.Delim('{'):
		return fmt.Errorf("a list with an indicator in it is expected")
	}
	if err := r.indicator(); err != nil {
		return err
	}
	if list {
		if r.dec.More() {
			return fmt.Errorf("more than one indicator in a file")
		}
		if _, err := r.dec.Token(); err != nil {
			return fmt.Errorf("no JSON: %w", err)
		}
	}
	if _, err := r.dec.Token(); err == nil {
		return fmt.Errorf("something after the end")
	}
	return nil
}

func (r *reader) indicator() error {
	seen := map[string]bool{}
	for r.dec.More() {
		key, err := r.dec.Token()
		if err != nil {
			return fmt.Errorf("no JSON: %w", err)
		}
		name, _ := key.(string)
		if seen[name] {
			return fmt.Errorf("%.40q stands twice", name)
		}
		seen[name] = true
		switch name {
		case "metadata":
			err = r.metadata()
		case "data":
			err = r.rows()
		default:
			var passed json.RawMessage
			err = r.dec.Decode(&passed)
		}
		if err != nil {
			return fmt.Errorf("%.40s: %w", name, err)
		}
	}
	if !seen["metadata"] || !seen["data"] {
		return fmt.Errorf("metadata or data are missing")
	}
	_, err := r.dec.Token()
	return err
}

func (r *reader) open(c json.Delim) error {
	if t, err := r.dec.Token(); err != nil {
		return err
	} else if t != c {
		return fmt.Errorf("%q is expected", c)
	}
	return nil
}

func (r *reader) metadata() error {
	if err := r.open('['); err != nil {
		return err
	}
	for r.dec.More() {
		if len(r.items) == maxItems {
			return fmt.Errorf("more than %d lines", maxItems)
		}
		var i item
		if err := r.dec.Decode(&i); err != nil {
			return err
		}
		r.items = append(r.items, i)
	}
	return r.open(']')
}

func (r *reader) rows() error {
	if err := r.open('['); err != nil {
		return err
	}
	known := map[string]string{}
	for n := 0; r.dec.More(); n++ {
		row, err := r.row(known)
		if err == nil {
			err = r.table.add(row)
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", n+1, err)
		}
	}
	return r.open(']')
}

func (r *reader) row(known map[string]string) (row, error) {
	w := row{names: map[string]string{}}
	if err := r.open('{'); err != nil {
		return w, err
	}
	for r.dec.More() {
		t, err := r.dec.Token()
		if err != nil {
			return w, err
		}
		key, _ := t.(string)
		v, err := r.dec.Token()
		if err != nil {
			return w, err
		}
		if err := w.set(strings.TrimSpace(key), v, known); err != nil {
			return w, err
		}
	}
	return w, r.open('}')
}

// datasetName is the name of the indicator with this code.
func datasetName(code string) string {
	name := "siat-" + strings.ReplaceAll(code, ".", "-")
	if _, err := portal.NewDatasetID("x", name); err != nil {
		name = lang.Slug("siat " + code)
	}
	return name
}

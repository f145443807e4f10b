package datapackage

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"koprik/portal"
)

const (
	translated  = "_translated"
	maxProblems = 100 // more are not listed
)

// report gathers the problems of one document.
type report struct {
	problems portal.Problems
	strict   bool // what is empty may not stand there: nobody writes it
}

func (r *report) add(where, format string, args ...any) {
	if len(r.problems) < maxProblems {
		r.problems.Add(where, format, args...)
	}
}

// fields reads the members of one object and remembers which it was asked for.
// A member that is there but null is as if it were not, where empty members are
// allowed at all.
type fields struct {
	*report
	at      string // "" or "koprik.passport."
	v       value
	seen    map[string]bool
	lenient bool // languages that we do not have are passed over
}

func (r *report) fields(at string, v value) *fields {
	if v.kind != object && v.kind != null {
		r.add(strings.TrimSuffix(at, "."), "is %s and must be %s", kindNames[v.kind], kindNames[object])
		v = value{}
	}
	return &fields{report: r, at: at, v: v, seen: map[string]bool{}}
}

func (f *fields) get(key string) (value, bool) {
	f.seen[key] = true
	v, ok := f.v.get(key)
	if ok && f.strict && (v.kind == null || v.kind == text && v.str == "") {
		f.add(f.at+key, "stands there empty")
	}
	return v, ok && v.kind != null
}

func (f *fields) has(key string) bool { _, ok := f.get(key); return ok }

// of gives the member when it has the kind, and complains when it has another.
func (f *fields) of(key string, k kind) (value, bool) {
	v, ok := f.get(key)
	if ok && v.kind != k {
		f.add(f.at+key, "is %s and must be %s", kindNames[v.kind], kindNames[k])
		return value{}, false
	}
	return v, ok
}

func (f *fields) string(key string) string {
	v, _ := f.of(key, text)
	return v.str
}

// integer reads a whole number that a float64 holds exactly.
func (f *fields) integer(key string) int64 {
	v, ok := f.of(key, number)
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(v.str, 10, 64)
	if err != nil || n < 0 || n > 1<<53 {
		f.add(f.at+key, "%.40s is not a whole number from 0 to 2^53", v.str)
		return 0
	}
	return n
}

func (f *fields) int(key string) int { return int(min(f.integer(key), math.MaxInt32)) }

func (f *fields) object(key string) (*fields, bool) {
	v, ok := f.of(key, object)
	return f.fields(f.at+key+".", v), ok
}

// objects gives the members of a list, each of which must be an object.
func (f *fields) objects(key string) []*fields {
	v, _ := f.of(key, list)
	if len(v.items) > portal.MaxFields {
		f.add(f.at+key, "%d of them, at most %d are allowed", len(v.items), portal.MaxFields)
		return nil
	}
	var all []*fields
	for i, item := range v.items {
		all = append(all, f.fields(fmt.Sprintf("%s%s[%d].", f.at, key, i), item))
	}
	return all
}

// strings gives a list of texts; nil when there is none.
func (f *fields) strings(key string) []string {
	v, ok := f.of(key, list)
	if !ok {
		return nil
	}
	all := make([]string, 0, len(v.items))
	for i, item := range v.items {
		if item.kind != text {
			f.add(fmt.Sprintf("%s%s[%d]", f.at, key, i), "is %s and must be %s", kindNames[item.kind], kindNames[text])
			continue
		}
		all = append(all, item.str)
	}
	return all
}

// text gives a plain string and its translations.
func (f *fields) text(key string) portal.Text {
	t := portal.Text{Plain: f.string(key)}
	v, _ := f.of(key+translated, object)
	for i, k := range v.keys {
		at := f.at + key + translated + "." + k
		l, err := portal.ParseLang(k)
		switch {
		case err != nil || string(l) != k:
			f.add(at, "is no language: must be one of uz, uz-Cyrl, kaa, ru, en")
		case v.items[i].kind != text:
			f.add(at, "is %s and must be %s", kindNames[v.items[i].kind], kindNames[text])
		default:
			if t.Translated == nil {
				t.Translated = map[portal.Lang]string{}
			}
			t.Translated[l] = v.items[i].str
		}
	}
	return t
}

// raw gives a member as compact JSON; nil when it is not there.
func (f *fields) raw(key string, k kind) json.RawMessage {
	v, ok := f.of(key, k)
	if !ok {
		return nil
	}
	var w writer
	w.value(v)
	return w.b
}

func (f *fields) date(key string) portal.Date {
	s := f.string(key)
	if s == "" {
		return ""
	}
	d, err := portal.ParseDate(s)
	if err != nil {
		f.add(f.at+key, "%.40q: must be a day written as 2026-01-31", s)
	}
	return d
}

// unknown complains about every member that nobody asked for, and names the
// nearest that somebody did.
func (f *fields) unknown() {
	var known []string
	for k := range f.seen {
		known = append(known, k)
	}
	for _, k := range f.v.keys {
		if f.seen[k] || len(f.problems) >= maxProblems {
			continue
		}
		if near := nearest(k, known); near != "" {
			f.add(f.at+clip(k), "is not known; did you mean %q?", near)
			continue
		}
		f.add(f.at+clip(k), "is not known")
	}
}

// clip shortens a name that came from outside for a message.
func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), 80)], "") }

// nearest is the known word that takes the fewest changes to become s, at most
// a third of its letters; of equally near ones the first in the alphabet.
func nearest(s string, known []string) string {
	if len(s) > 40 {
		return ""
	}
	low := strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(s))
	best, least := "", 1+max(len(s)/3, 1)
	for _, k := range known {
		d := distance(low, strings.ToLower(k))
		if d < least || d == least && best != "" && k < best {
			best, least = k, d
		}
	}
	return best
}

// distance is the number of letters to change, insert or drop (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

package post

import (
	"fmt"

	"koprik/portal"
	"koprik/portal/datapackage"
)

// MaxThreads is how many public questions one dataset shows: the newest.
const MaxThreads = 200

// threadsJSON is the file of a dataset's public questions, the target
// talkback/threads.<dataset>.
type threadsJSON struct {
	Threads []portal.Thread `json:"threads"`
}

// EncodeThreads writes public questions, the newest first; those that are too many
// or too long for one file are left out, from the oldest on.
func EncodeThreads(threads []portal.Thread) ([]byte, error) {
	threads = threads[:min(len(threads), MaxThreads)]
	for {
		b, err := encode(threadsJSON{threads})
		if err != nil || len(b) <= datapackage.MaxSide {
			return b, err
		}
		threads = threads[:len(threads)-1]
	}
}

// DecodeThreads reads what EncodeThreads writes.
func DecodeThreads(b []byte) ([]portal.Thread, error) {
	var t threadsJSON
	if err := decode(b, &t); err != nil {
		return nil, fmt.Errorf("questions: %w", err)
	}
	return t.Threads, nil
}

// EncodeNumbers writes what publishers and units have done with inquiries, the
// target talkback/numbers.
func EncodeNumbers(numbers []portal.DeskNumbers) ([]byte, error) {
	return encode(struct {
		Desks []portal.DeskNumbers `json:"desks"`
	}{numbers})
}

// DecodeNumbers reads what EncodeNumbers writes.
func DecodeNumbers(b []byte) ([]portal.DeskNumbers, error) {
	var n struct {
		Desks []portal.DeskNumbers `json:"desks"`
	}
	if err := decode(b, &n); err != nil {
		return nil, fmt.Errorf("numbers: %w", err)
	}
	return n.Desks, nil
}

// calendarJSON is the calendar of holidays, the target talkback/calendar.
type calendarJSON struct {
	Holidays []portal.Date `json:"holidays"`
	Working  []portal.Date `json:"working"`
}

// EncodeCalendar writes holidays and moved working days.
func EncodeCalendar(c portal.WorkCalendar) ([]byte, error) {
	c = portal.NewWorkCalendar(c.Holidays, c.Working)
	return encode(calendarJSON(c))
}

// DecodeCalendar reads what EncodeCalendar writes.
func DecodeCalendar(b []byte) (portal.WorkCalendar, error) {
	var c calendarJSON
	if err := decode(b, &c); err != nil {
		return portal.WorkCalendar{}, fmt.Errorf("calendar: %w", err)
	}
	for _, d := range append(append([]portal.Date{}, c.Holidays...), c.Working...) {
		if _, err := portal.ParseDate(string(d)); err != nil {
			return portal.WorkCalendar{}, fmt.Errorf("calendar: %w", err)
		}
	}
	return portal.NewWorkCalendar(c.Holidays, c.Working), nil
}

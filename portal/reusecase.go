package portal

import (
	"slices"
	"strings"
)

// ReuseWork is what the centre keeps of a reuse beside what was submitted, which
// stays as it came in Case.Inquiry.
type ReuseWork struct {
	Details ReuseDetails      // as everybody reads it
	Lived   []Lived           // empty until it is published
	Risks   []ReuseRisk       // since the last check-in
	Seen    map[DatasetID]int // the latest release of each dataset whose columns were looked at
}

// maxLived bounds how many changes of state are kept of one reuse: the newest.
const maxLived = 200

// IsReuse tells whether the case is a reuse that somebody submitted.
func (c *Case) IsReuse() bool { return c.Inquiry.Kind == ReuseSubmission && c.Reuse != nil }

func (c *Case) mustBeReuse() error {
	if !c.IsReuse() {
		return Rejected("reuse", "%s is none", c.Inquiry.ID.String()[:8])
	}
	return nil
}

// PublishReuse shows a reuse to everybody, with the details given; it does so again
// when they are to be corrected. public is the name under which it is shown for the
// first time.
func (c *Case) PublishReuse(d ReuseDetails, public InquiryID, e CaseEvent) error {
	if err := c.mustBeReuse(); err != nil {
		return err
	}
	if d.By != "" && !c.Inquiry.Reuse.Consent {
		return Rejected("by", "who submitted it did not consent to a name that everybody reads")
	}
	d.Consent = true
	if err := d.Validate(); err != nil {
		return err
	}
	d.Consent = false // it is nothing to publish
	if c.Thread == (InquiryID{}) {
		c.Thread = public
	}
	if len(c.Reuse.Lived) == 0 {
		day := DateOf(e.At)
		c.Reuse.Lived = []Lived{{State: ReuseAlive, From: day, Until: day}}
	}
	c.Reuse.Details = d
	c.State, c.Moderation = Published, Moderation{State: Shown, By: e.By, At: e.At}
	c.note(e, string(Shown))
	c.Changed = e.At
	return nil
}

// RefuseReuse keeps a reuse from the public, also one that was shown; who submitted
// it reads the reason.
func (c *Case) RefuseReuse(reason string, l Lang, e CaseEvent) error {
	if err := c.mustBeReuse(); err != nil {
		return err
	}
	a := Answer{State: Refused, Text: strings.TrimSpace(reason), Lang: l, Inquiry: c.Inquiry.ID, At: e.At}
	if err := a.Validate(); err != nil {
		return err
	}
	c.State, c.Answers = Refused, append(c.Answers, a)
	c.Moderation = Moderation{State: Withheld, Reason: a.Text, By: e.By, At: e.At}
	c.note(e, string(Refused))
	c.Changed = e.At
	return nil
}

// CheckInReuse says how a reuse is, on the day of e: the one who submitted it, with
// the receipt, or the desk. It takes off the risks that were noted before. A day
// before the last one that was said changes nothing.
func (c *Case) CheckInReuse(s ReuseState, e CaseEvent) error {
	if err := c.mustBeReuse(); err != nil {
		return err
	}
	w, day := c.Reuse, DateOf(e.At)
	switch {
	case !slices.Contains(ReuseStates, s):
		return Rejected("state", "%.40q: must be alive, sleeping or adopter", s)
	case len(w.Lived) == 0:
		return Rejected("reuse", "is not published, so that nobody asks how it is")
	}
	last := &w.Lived[len(w.Lived)-1]
	now, byRule := (&Reuse{Lived: w.Lived}).StateOn(day)
	switch {
	case day < last.Until:
		return nil
	case last.State == s && now == s && !byRule:
		last.Until = day
	case last.From == day:
		last.State = s
	default:
		w.Lived = append(w.Lived, Lived{State: s, From: day, Until: day})
		w.Lived = w.Lived[max(0, len(w.Lived)-maxLived):]
	}
	w.Risks = nil
	c.note(e, "checked in")
	c.Events[len(c.Events)-1].Note = string(s)
	c.Changed = e.At
	return nil
}

// maxRisks bounds how many releases are noted beside one reuse: the newest.
const maxRisks = 20

// LookAt notes a release of a dataset that a reuse was made with, and the columns
// that it changed, if any.
func (c *Case) LookAt(id DatasetID, release int, changes []ColumnChange, e CaseEvent) {
	w := c.Reuse
	if w.Seen == nil {
		w.Seen = map[DatasetID]int{}
	}
	w.Seen[id] = release
	if len(changes) == 0 {
		return
	}
	risk := ReuseRisk{Day: DateOf(e.At), Dataset: id, Release: release, Columns: changes[:min(len(changes), MaxColumnChanges)]}
	w.Risks = append(w.Risks, risk)
	w.Risks = w.Risks[max(0, len(w.Risks)-maxRisks):]
	e.Note = string(id)
	c.note(e, "columns changed")
}

// PublicReuse gives what the public sees of a reuse; ok is false when it sees
// nothing.
func (c *Case) PublicReuse() (r Reuse, ok bool) {
	if !c.IsReuse() || c.Moderation.State != Shown {
		return r, false
	}
	return Reuse{ID: c.Thread, ReuseDetails: c.Reuse.Details, Lived: c.Reuse.Lived, Risks: c.Reuse.Risks}, true
}

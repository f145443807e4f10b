package node

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"koprik/portal"
)

// reachKey is where local.db keeps how a contact is reached.
func reachKey(r portal.ContactRef) string { return "reach:" + r.String() }

// Reach is what this centre knows of how a contact is reached.
func (n *Node) Reach(ctx context.Context, r portal.ContactRef) (reach portal.Reach, err error) {
	v, ok, err := n.local.Get(ctx, reachKey(r))
	if err != nil || !ok || v == "" {
		return reach, err
	}
	if err := json.Unmarshal([]byte(v), &reach); err != nil {
		return reach, fmt.Errorf("%s: %w", reachKey(r), err)
	}
	return reach, nil
}

func (n *Node) setReach(ctx context.Context, r portal.ContactRef, reach portal.Reach) error {
	b, err := json.Marshal(reach)
	if err != nil {
		return err
	}
	return n.local.Set(ctx, reachKey(r), string(b))
}

// heardOf notes that a contact is there: it answered, or said so.
func (n *Node) heardOf(ctx context.Context, r portal.ContactRef) error {
	reach, err := n.Reach(ctx, r)
	if err != nil || r == (portal.ContactRef{}) {
		return err
	}
	return n.setReach(ctx, r, reach.Confirm(n.Now().UTC()))
}

// MarkAmber says that a contact cannot be reached, with the reason, and moves
// what waits for it one step on. Due dates stay.
func (n *Node) MarkAmber(ctx context.Context, r portal.ContactRef, why string) error {
	p, c, err := n.contact(ctx, r)
	if err != nil {
		return err
	}
	reach, err := n.Reach(ctx, r)
	if err != nil {
		return err
	}
	if err := n.setReach(ctx, r, reach.Mark(why, c.Email, n.Now().UTC())); err != nil {
		return err
	}
	return n.moveOn(ctx, p, r, why)
}

// ClearAmber says that a contact can be reached again. What was moved stays where
// it is.
func (n *Node) ClearAmber(ctx context.Context, r portal.ContactRef) error {
	if _, _, err := n.contact(ctx, r); err != nil {
		return err
	}
	return n.heardOf(ctx, r)
}

// contact finds a contact in the record of its publisher.
func (n *Node) contact(ctx context.Context, r portal.ContactRef) (portal.Publisher, portal.Contact, error) {
	all, err := n.Publishers(ctx)
	if err != nil {
		return portal.Publisher{}, portal.Contact{}, err
	}
	for _, p := range all {
		if c, ok := p.Contact(r.Contact); ok && p.ID == r.Publisher {
			return p, c, nil
		}
	}
	return portal.Publisher{}, portal.Contact{}, &portal.Problem{
		Kind: portal.ErrNotFound, Where: r.String(), Message: "there is no such contact here", Hint: "koprik publisher reach lists them",
	}
}

// findRoute is portal.FindRoute by what this centre knows of contacts, without
// those who said that an inquiry is not theirs.
func (n *Node) findRoute(ctx context.Context, p portal.Publisher, holder portal.ContactID, passed []portal.ContactRef) (portal.Route, error) {
	var bad error
	route := portal.FindRoute(p, holder, portal.DateOf(n.Now()), func(id portal.ContactID) bool {
		at := portal.ContactRef{Publisher: p.ID, Contact: id}
		if slices.Contains(passed, at) {
			return true
		}
		reach, err := n.Reach(ctx, at)
		bad = cmp.Or(bad, err)
		c, _ := p.Contact(id)
		return err == nil && reach.IsAmber(c.Email)
	})
	return route, bad
}

// openCasesOf are the cases that wait for somebody; with the zero value, all.
func (n *Node) waitingCases(ctx context.Context, r portal.ContactRef) ([]portal.Case, error) {
	const most = 100_000
	list, _, err := n.local.Cases(ctx, portal.CaseQuery{
		Publisher: r.Publisher, Contact: r.Contact, States: []portal.InquiryState{portal.Received, portal.Assigned}, Limit: most,
	})
	return slices.DeleteFunc(list, func(c portal.Case) bool { return !c.Opened }), err
}

// moveOn gives what waits for a contact that is amber to whoever comes next.
func (n *Node) moveOn(ctx context.Context, p portal.Publisher, r portal.ContactRef, why string) error {
	waiting, err := n.waitingCases(ctx, r)
	if err != nil || len(waiting) == 0 {
		return err
	}
	for _, c := range waiting {
		route, err := n.findRoute(ctx, p, r.Contact, c.Passed)
		if err != nil {
			return err
		}
		days, err := n.AnswerDays(ctx, route.Publisher)
		if err != nil {
			return err
		}
		_, err = n.ChangeCase(ctx, c.Inquiry.ID, "", func(c *portal.Case, cal portal.WorkCalendar, e portal.CaseEvent) error {
			if !c.State.Open() || c.Route.Publisher != r.Publisher || c.Route.Contact != r.Contact {
				return nil // somebody did something meanwhile
			}
			e.What, e.Note = "moved on", why
			return c.Assign(route, days, cal, e)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Reached is one contact and how it is reached.
type Reached struct {
	portal.ContactRef
	Email string
	portal.Reach
}

// Contacts lists everybody who answers for something now, and how each is reached.
func (n *Node) Contacts(ctx context.Context) (list []Reached, err error) {
	if !n.central() {
		return nil, notCentral("publisher reach")
	}
	all, err := n.Publishers(ctx)
	if err != nil {
		return nil, err
	}
	today := portal.DateOf(n.Now())
	for _, p := range all {
		for _, c := range p.Contacts {
			if c.Email == "" || c.Until != "" && c.Until <= today {
				continue
			}
			r := Reached{ContactRef: portal.ContactRef{Publisher: p.ID, Contact: c.ID}, Email: c.Email}
			if r.Reach, err = n.Reach(ctx, r.ContactRef); err != nil {
				return nil, err
			}
			list = append(list, r)
		}
	}
	return list, nil
}

// ambers are the contacts that every node shows as not reached.
func (n *Node) ambers(ctx context.Context) (list []portal.AmberContact, err error) {
	all, err := n.Contacts(ctx)
	for _, r := range all {
		if r.IsAmber(r.Email) {
			list = append(list, portal.AmberContact{ContactRef: r.ContactRef, Since: portal.DateOf(r.Amber.Since)})
		}
	}
	return list, err
}

// review goes through everybody who answers, once an hour: who was not heard of
// for long is asked, who did not answer twice is amber.
func (n *Node) review(ctx context.Context) error {
	due, err := n.due(ctx, reviewKey, reviewEvery)
	if err != nil || !due || n.config.MailServer == "" {
		return err
	}
	all, err := n.Contacts(ctx)
	if err != nil {
		return err
	}
	every, now := time.Duration(n.config.ConfirmEvery)*24*time.Hour, n.Now().UTC()
	for _, r := range all {
		next, ask := r.Review(r.Email, every, now)
		if next != r.Reach {
			if err := n.setReach(ctx, r.ContactRef, next); err != nil {
				return err
			}
		}
		if next.IsAmber(r.Email) && !r.IsAmber(r.Email) {
			if err := n.MarkAmber(ctx, r.ContactRef, next.Amber.Why); err != nil {
				return err
			}
		}
		if ask {
			key := fmt.Sprintf("still:%s:%d:%d", r.ContactRef, next.Confirmed.Unix(), next.Missed)
			if _, err := n.local.QueueLetter(ctx, portal.Letter{Key: key, Kind: portal.LetterStill, To: r.ContactRef, Made: now, Next: now}); err != nil {
				return err
			}
		}
	}
	return n.local.Set(ctx, reviewKey, now.Format(time.RFC3339))
}

// reviewKey says when contacts were gone through last.
const (
	reviewKey   = "contacts-reviewed"
	reviewEvery = time.Hour
)

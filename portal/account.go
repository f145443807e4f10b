package portal

import (
	"slices"
	"strings"
	"time"
)

// DeskRole is what an account is at the desk: the signed-in side of a node.
type DeskRole string

// The roles, from the one who answers for a dataset to the one who runs the portal.
const (
	DeskHolder      DeskRole = "holder"      // one contact of a publisher: answers what is routed to it
	DeskCoordinator DeskRole = "coordinator" // of a publisher: all of its inquiries, and who of it gets them
	DeskModerator   DeskRole = "moderator"   // of the centre: what the public sees, and who gets an inquiry
	DeskAdmin       DeskRole = "admin"       // of the centre: a moderator who also keeps accounts and nodes
)

// DeskRoles are all of them, in that order.
var DeskRoles = []DeskRole{DeskHolder, DeskCoordinator, DeskModerator, DeskAdmin}

// DeskAct is something that an account may do, or may not.
type DeskAct string

// The acts. All but the last two are done to a case.
const (
	ActAnswer   DeskAct = "answer"   // answer, refuse, mark as published, stop and start the clock
	ActAssign   DeskAct = "assign"   // hand it to another contact or publisher
	ActModerate DeskAct = "moderate" // show it to the public, or withhold it
	ActAccounts DeskAct = "accounts" // add, change and disable accounts
	ActNodes    DeskAct = "nodes"    // enrol and revoke nodes
)

// MaxAccountName is the longest name to sign in by, in bytes.
const MaxAccountName = 64

// Account is somebody who can sign in at the desk. Post is what is shown and
// written into the record of a case; never a person's name.
type Account struct {
	Name         string // to sign in by: 1 to 64 of [a-z0-9._-]
	Role         DeskRole
	Publisher    PublisherID // of a holder and a coordinator
	Contact      ContactID   // of a holder
	Post         string
	Lang         Lang // of the desk's pages
	Created      time.Time
	Disabled     time.Time // zero: it can sign in
	SecondFactor bool      // asked for a code after the password
}

// Validate names everything that is wrong, by the field of the form.
func (a Account) Validate() error {
	var ps Problems
	if !validAccountName(a.Name) {
		ps.Add("name", "%.80q: must be 1 to %d of a-z, 0-9, dot, underscore and hyphen", a.Name, MaxAccountName)
	}
	if !slices.Contains(DeskRoles, a.Role) {
		ps.Add("role", "%.40q: must be holder, coordinator, moderator or admin", a.Role)
	}
	ofPublisher := a.Role == DeskHolder || a.Role == DeskCoordinator
	switch _, err := ParsePublisherID(string(a.Publisher)); {
	case ofPublisher && a.Publisher == "":
		ps.Add("publisher", "a %s belongs to a publisher", a.Role)
	case ofPublisher && err != nil:
		ps.Add("publisher", "%v", err)
	case !ofPublisher && a.Publisher != "":
		ps.Add("publisher", "an account of the centre belongs to none")
	}
	switch _, err := ParseContactID(string(a.Contact)); {
	case a.Role == DeskHolder && err != nil:
		ps.Add("contact", "a holder answers for one contact of the publisher: %v", err)
	case a.Role != DeskHolder && a.Contact != "":
		ps.Add("contact", "only a holder has one")
	}
	checkWords(&ps, "post", a.Post, maxCellText, true)
	if a.Lang != "" && !slices.Contains(Langs, a.Lang) {
		ps.Add("language", "%.40q is no language of the portal", a.Lang)
	}
	return ps.Err()
}

func validAccountName(s string) bool {
	return s != "" && len(s) <= MaxAccountName && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789._-") == ""
}

// OfCentre tells whether the account sees what belongs to every publisher.
func (a Account) OfCentre() bool { return a.Role == DeskModerator || a.Role == DeskAdmin }

// Sees gives the cases that the account may read, narrowed to what q asks for;
// ok is false when there can be none.
func (a Account) Sees(q CaseQuery) (narrowed CaseQuery, ok bool) {
	if a.OfCentre() {
		return q, true
	}
	if a.Publisher == "" || q.Centre || q.Publisher != "" && q.Publisher != a.Publisher {
		return q, false
	}
	q.Publisher = a.Publisher
	if a.Role == DeskHolder {
		if a.Contact == "" || q.Contact != "" && q.Contact != a.Contact {
			return q, false
		}
		q.Contact = a.Contact
	}
	return q, true
}

// Reads tells whether the account may read a case.
func (a Account) Reads(c *Case) bool {
	switch {
	case a.OfCentre():
		return true
	case a.Publisher == "" || c.Route.Publisher != a.Publisher:
		return false
	}
	return a.Role == DeskCoordinator || a.Role == DeskHolder && a.Contact != "" && c.Route.Contact == a.Contact
}

// May tells whether the account may do something, to c where the act has a case.
// An account that is disabled may nothing.
func (a Account) May(do DeskAct, c *Case) bool {
	if !a.Disabled.IsZero() {
		return false
	}
	switch do {
	case ActAccounts, ActNodes:
		return a.Role == DeskAdmin
	case ActModerate:
		return c != nil && a.OfCentre()
	case ActAssign:
		return c != nil && a.Reads(c) && a.Role != DeskHolder
	case ActAnswer:
		return c != nil && a.Reads(c)
	}
	return false
}

// SecondFactor is what an authenticator is given.
type SecondFactor struct {
	Secret  string // base32, to type
	Address string // otpauth://…, for a QR code
}

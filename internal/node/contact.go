package node

import (
	"context"

	"koprik/portal"
)

// deskContact is the id of the contact that answers for whatever a publisher
// publishes without a passport.
const deskContact portal.ContactID = "desk"

// SetContact makes c who answers for what a publisher publishes without a
// passport, and gives the generation in which that stands. What c leaves empty
// stays as it was; in a first contact the post is "responsible for open data"
// and the unit the publisher's name. A contact that is incomplete is
// portal.ErrRejected.
func (n *Node) SetContact(ctx context.Context, id portal.PublisherID, c portal.Contact) (generation int64, err error) {
	defer named(n.dir, &err)
	if !n.central() {
		return 0, notCentral("publisher contact")
	}
	release, err := n.writing(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	p, done, err := n.publication(id)
	if err != nil {
		return 0, err
	}
	defer done()
	p.unlock = release
	c = p.completed(c)
	if err := c.Validate().Under(string(id)).Err(); err != nil {
		return 0, err
	}
	p.merge(c)
	if p.record.Default != c.ID {
		p.record.Default, p.recordChanged = c.ID, true
	}
	err = p.finish(ctx)
	return p.out.Generation, err
}

// completed fills in what nobody said of a publisher's own contact.
func (p *publication) completed(c portal.Contact) portal.Contact {
	was, ok := p.record.Contact(p.record.Default)
	if !ok {
		was = portal.Contact{ID: deskContact, Post: postOfPublisher, Unit: p.record.Title}
	}
	for _, field := range []struct{ to, from *portal.Text }{{&c.Post, &was.Post}, {&c.Unit, &was.Unit}, {&c.Name, &was.Name}} {
		if field.to.IsZero() {
			*field.to = *field.from
		}
	}
	if c.Email == "" {
		c.Email = was.Email
	}
	if c.Phone == "" {
		c.Phone = was.Phone
	}
	c.ID, c.Since, c.Until = was.ID, was.Since, was.Until
	return c
}

package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"koprik/portal"
	"koprik/sync/post"
)

// formKey is where local.db keeps the words of the form.
const formKey = "form-words"

// FormWords are what the centre has set on the form for questions.
func (n *Node) FormWords(ctx context.Context) (w portal.FormWords, err error) {
	v, ok, err := n.local.Get(ctx, formKey)
	if err != nil || !ok {
		return w, err
	}
	if err := json.Unmarshal([]byte(v), &w); err != nil {
		return w, fmt.Errorf("%s: %w", formKey, err)
	}
	return w, nil
}

// SetFormWords sets them; they reach every node with the next publication.
func (n *Node) SetFormWords(ctx context.Context, w portal.FormWords) (err error) {
	defer named(n.dir, &err)
	if !n.central() {
		return notCentral("form")
	}
	if err := w.Validate(); err != nil {
		return err
	}
	b, err := json.Marshal(w)
	if err != nil {
		return err
	}
	return n.local.Set(ctx, formKey, string(b))
}

// noticeFiles writes who cannot be reached and the words of the form.
func (n *Node) noticeFiles(ctx context.Context, _ []portal.Case, files map[string][]byte) error {
	var said portal.Notices
	var err error
	if said.Amber, err = n.ambers(ctx); err != nil {
		return err
	}
	if said.Form, err = n.FormWords(ctx); err != nil || said.IsZero() {
		return err
	}
	files[post.NoticesPath], err = post.EncodeNotices(said)
	return err
}

// Notices implements portal.NoticeReader.
func (v *view) Notices(context.Context) (portal.Notices, error) {
	s, err := v.node.sidesOf(v)
	if err != nil {
		return portal.Notices{}, err
	}
	b, err := v.node.side(s, post.NoticesPath)
	if errors.Is(err, portal.ErrNotFound) {
		return portal.Notices{}, nil
	}
	if err != nil {
		return portal.Notices{}, err
	}
	return post.DecodeNotices(b)
}

func templatesKey(p portal.PublisherID) string { return "templates:" + string(p) }

// Templates are the answers that a publisher gives often; "" is the centre.
func (n *Node) Templates(ctx context.Context, p portal.PublisherID) (list []portal.AnswerTemplate, err error) {
	v, ok, err := n.local.Get(ctx, templatesKey(p))
	if err != nil || !ok {
		return nil, err
	}
	if err := json.Unmarshal([]byte(v), &list); err != nil {
		return nil, fmt.Errorf("%s: %w", templatesKey(p), err)
	}
	return list, nil
}

// ChangeTemplates changes a publisher's in one step. Too many, or one that is none,
// is portal.ErrRejected.
func (n *Node) ChangeTemplates(ctx context.Context, p portal.PublisherID, change func([]portal.AnswerTemplate) []portal.AnswerTemplate) (err error) {
	defer named(n.dir, &err)
	if !n.central() {
		return notCentral("templates")
	}
	n.templates.Lock()
	defer n.templates.Unlock()
	list, err := n.Templates(ctx, p)
	if err != nil {
		return err
	}
	list = change(list)
	if len(list) > portal.MaxTemplates {
		return portal.Rejected("templates", "%d: at most %d are kept", len(list), portal.MaxTemplates)
	}
	for _, t := range list {
		if err := t.Validate(); err != nil {
			return err
		}
	}
	b, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return n.local.Set(ctx, templatesKey(p), string(b))
}

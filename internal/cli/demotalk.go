package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"

	"koprik/internal/demo"
	"koprik/internal/node"
	"koprik/portal"
)

// showQuestions asks the examples of questions at the centre, as anybody would, and
// does with them what offices have done since: once.
func showQuestions(ctx context.Context, n *node.Node) error {
	query := portal.CaseQuery{Kinds: portal.InquiryKinds, Limit: 1000}
	_, total, err := n.Cases(ctx, query)
	if err != nil || total > 0 {
		return err
	}
	if err := n.SetCalendar(ctx, portal.NewWorkCalendar(demo.Holidays(n.Now()), nil)); err != nil {
		return err
	}
	examples := demo.Questions()
	for _, q := range examples {
		if _, err := n.Send(ctx, q.Inquiry, q.Code); err != nil {
			return err
		}
	}
	if _, err := n.Speak(ctx, true); err != nil {
		return err
	}
	cases, _, err := n.Cases(ctx, query)
	if err != nil {
		return err
	}
	for _, c := range cases {
		i := slices.IndexFunc(examples, func(q demo.Question) bool { return q.Text == c.Inquiry.Text })
		if i < 0 {
			continue
		}
		if err := showQuestion(ctx, n, c.Inquiry.ID, examples[i]); err != nil {
			return err
		}
	}
	_, err = n.Speak(ctx, true)
	return err
}

// showQuestion puts one question where it was asked days ago, and answers it.
func showQuestion(ctx context.Context, n *node.Node, id portal.InquiryID, q demo.Question) error {
	_, err := n.ChangeCase(ctx, id, "demo", func(c *portal.Case, cal portal.WorkCalendar, e portal.CaseEvent) error {
		now := e.At
		c.Received = now.AddDate(0, 0, -q.Asked)
		c.Inquiry.Day = portal.DateOf(c.Received)
		c.Deadline = portal.NewDeadline(c.Inquiry.Day, portal.DefaultAnswerDays, cal)
		for i := range c.Events {
			c.Events[i].At = c.Received
		}
		if e.At = c.Received; q.Shown {
			if err := c.Moderate(portal.Moderation{State: portal.Shown}, node.NewInquiryID(), e); err != nil {
				return err
			}
		}
		if q.Answer.State == "" {
			return nil
		}
		e.At = now.AddDate(0, 0, -q.Answered)
		return c.Reply(q.Answer, cal, e)
	})
	return err
}

// demoAccount is who signs in at the desk of the demonstration.
const demoAccount = "demo"

// demoLogin makes the account of the demonstration, with a password that this run
// alone knows.
func demoLogin(ctx context.Context, n *node.Node) (password string, err error) {
	password = rand.Text()
	_, err = n.Account(ctx, demoAccount)
	if errors.Is(err, portal.ErrNotFound) {
		return password, n.AddAccount(ctx, portal.Account{Name: demoAccount, Role: portal.DeskAdmin, Post: "Demonstration"}, password)
	}
	if err != nil {
		return "", err
	}
	return password, n.SetPassword(ctx, demoAccount, password)
}

package cli

import (
	"context"

	"koprik/internal/demo"
	"koprik/internal/node"
	"koprik/portal"
)

// showReuses sends the examples of reuses to the centre, as anybody would, and
// publishes them with what was said of them since: once.
func showReuses(ctx context.Context, n *node.Node) error {
	query := portal.CaseQuery{Kinds: []portal.InquiryKind{portal.ReuseSubmission}, Limit: 1000}
	_, total, err := n.Cases(ctx, query)
	if err != nil || total > 0 {
		return err
	}
	if _, err := n.Speak(ctx, true); err != nil { // which publishes the key that they are sealed to
		return err
	}
	examples := map[string]demo.Reuse{}
	for _, r := range demo.Reuses() {
		examples[r.Details.Link] = r
		details := r.Details
		if _, err := n.Send(ctx, portal.Inquiry{Kind: portal.ReuseSubmission, Lang: portal.Uzbek, Reuse: &details}, portal.ReceiptCode{}); err != nil {
			return err
		}
	}
	if _, err := n.Speak(ctx, true); err != nil {
		return err
	}
	cohort := demo.ReuseCohort
	cohort.Day = portal.DateOf(n.Now().AddDate(0, 0, -demo.CohortEnded))
	if err := n.SetCohort(ctx, cohort); err != nil {
		return err
	}
	cases, _, err := n.Cases(ctx, query)
	if err != nil {
		return err
	}
	for _, c := range cases {
		if example, ok := examples[c.Inquiry.Reuse.Link]; ok {
			if err := showReuse(ctx, n, c.Inquiry.ID, example); err != nil {
				return err
			}
		}
	}
	_, err = n.Speak(ctx, true)
	return err
}

func showReuse(ctx context.Context, n *node.Node, id portal.InquiryID, example demo.Reuse) error {
	_, err := n.ChangeCase(ctx, id, "demo", func(c *portal.Case, _ portal.WorkCalendar, e portal.CaseEvent) error {
		now := e.At
		e.At = now.AddDate(0, 0, -example.Shown)
		if err := c.PublishReuse(c.Reuse.Details, node.NewInquiryID(), e); err != nil {
			return err
		}
		for _, said := range example.CheckIns {
			e.At = now.AddDate(0, 0, -said.Ago)
			if err := c.CheckInReuse(said.State, e); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

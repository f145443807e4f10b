package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"koprik/internal/node"
	"koprik/portal"
)

func (a *app) reuseCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "reuse", Short: "Look after what was made with the data, at a centre"}
	cmd.AddCommand(a.reuseListCommand(), a.reuseShowCommand(), a.reusePublishCommand(), a.reuseRefuseCommand(), a.reuseStateCommand(), a.reuseCohortCommand())
	return cmd
}

// reuseRow is a reuse as programs read it.
type reuseRow struct {
	ID         portal.InquiryID       `json:"id"`
	Moderation portal.ModerationState `json:"moderation"`
	State      portal.ReuseState      `json:"state"` // "" before it is published
	ByRule     bool                   `json:"by_rule"`
	Due        portal.Date            `json:"check_in_due"`
	Received   string                 `json:"received"`
	Kind       portal.ReuseKind       `json:"kind"`
	Title      string                 `json:"title"`
	Summary    string                 `json:"summary"`
	Link       string                 `json:"link"`
	By         string                 `json:"by"`
	Uses       []portal.ReuseSource   `json:"uses"`
	Cohort     portal.CohortID        `json:"cohort"`
	Public     string                 `json:"public"` // its public name; "" before it is published
	Email      string                 `json:"email"`
	Risks      []portal.ReuseRisk     `json:"risks"`
	Events     []portal.CaseEvent     `json:"events"`
}

func reuseRowOf(c portal.Case, today portal.Date) reuseRow {
	r := portal.Reuse{ReuseDetails: c.Reuse.Details, Lived: c.Reuse.Lived}
	row := reuseRow{
		ID: c.Inquiry.ID, Moderation: c.Moderation.State, Due: r.CheckInDue(), Received: stamp(c.Received), Kind: r.Kind, Link: r.Link, By: r.By,
		Uses: append([]portal.ReuseSource{}, r.Uses...), Cohort: r.Cohort, Email: c.Inquiry.Email,
		Risks: append([]portal.ReuseRisk{}, c.Reuse.Risks...), Events: append([]portal.CaseEvent{}, c.Events...),
	}
	row.Title, _ = r.Title.In(c.Inquiry.Lang)
	row.Summary, _ = r.Summary.In(c.Inquiry.Lang)
	row.State, row.ByRule = r.StateIn(today)
	if c.Thread != (portal.InquiryID{}) {
		row.Public = c.Thread.String()
	}
	return row
}

func (a *app) reuseListCommand() *cobra.Command {
	q := portal.CaseQuery{Kinds: []portal.InquiryKind{portal.ReuseSubmission}}
	waiting := false
	cmd := &cobra.Command{
		Use: "list", Short: "List reuses, the oldest first", Args: cobra.NoArgs,
		Example: "  koprik reuse list --waiting",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if waiting {
				q.Moderate = portal.Waiting
			}
			return a.with(cmd.Context(), func(n *node.Node) error { return a.listReuses(cmd.Context(), n, q) })
		},
	}
	cmd.Flags().BoolVar(&waiting, "waiting", false, "only those that nobody has looked at yet")
	cmd.Flags().IntVar(&q.Limit, "limit", 100, "at most so many")
	return cmd
}

func (a *app) listReuses(ctx context.Context, n *node.Node, q portal.CaseQuery) error {
	list, total, err := n.Cases(ctx, q)
	if err != nil {
		return err
	}
	rows := []reuseRow{}
	for _, c := range list {
		if c.IsReuse() {
			rows = append(rows, reuseRowOf(c, portal.DateOf(n.Now())))
		}
	}
	return a.answer(map[string]any{"total": total, "reuses": rows}, func() {
		for _, r := range rows {
			risk := ""
			if len(r.Risks) > 0 {
				risk = " DATA CHANGED"
			}
			a.say("%s  %-8s %-8s due %-10s%s  %s  %s", r.ID.String()[:8], r.Moderation, orDash(string(r.State)), orDash(string(r.Due)), risk, firstLine(r.Title), r.Link)
		}
		if total > len(rows) {
			a.say("%d of %d", len(rows), total)
		}
	})
}

func (a *app) reuseShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show a reuse and all that was done with it", Args: cobra.ExactArgs(1),
		Example: "  koprik reuse show 3f0a9c12",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error {
				c, err := findReuse(cmd.Context(), n, args[0])
				if err != nil {
					return err
				}
				return a.showReuse(n, c)
			})
		},
	}
}

// findReuse gives a reuse by the beginning of its id; a question is none.
func findReuse(ctx context.Context, n *node.Node, id string) (portal.Case, error) {
	c, err := n.FindCase(ctx, id)
	if err == nil && !c.IsReuse() {
		err = &portal.Problem{Kind: portal.ErrNotFound, Where: "reuse " + id, Message: "is none", Hint: "koprik reuse list shows those that are"}
	}
	return c, err
}

func (a *app) showReuse(n *node.Node, c portal.Case) error {
	r := reuseRowOf(c, portal.DateOf(n.Now()))
	return a.answer(r, func() {
		a.say("%s  %s, %s, check-in due %s", r.ID, r.Moderation, orDash(string(r.State)), orDash(string(r.Due)))
		a.say("%s: %s", r.Kind, r.Title)
		a.say("  | %s", firstLine(r.Summary))
		a.say("at %s, by %s", r.Link, orDash(r.By))
		for _, s := range r.Uses {
			a.say("uses %s", s)
		}
		for _, risk := range r.Risks {
			for _, column := range risk.Columns {
				a.say("release %d of %s: %s", risk.Release, risk.Dataset, column)
			}
		}
		for _, e := range r.Events {
			a.say("%s  %s %s %s", stamp(e.At), e.What, e.By, e.Note)
		}
	})
}

// changeReuse does something to one and shows what has become of it.
func (a *app) changeReuse(cmd *cobra.Command, id string, do func(c *portal.Case, e portal.CaseEvent) error) error {
	return a.with(cmd.Context(), func(n *node.Node) error {
		c, err := findReuse(cmd.Context(), n, id)
		if err != nil {
			return err
		}
		c, err = n.ChangeCase(cmd.Context(), c.Inquiry.ID, "command line", func(c *portal.Case, _ portal.WorkCalendar, e portal.CaseEvent) error { return do(c, e) })
		if err != nil {
			return err
		}
		return a.showReuse(n, c)
	})
}

func (a *app) reusePublishCommand() *cobra.Command {
	var cohort string
	cmd := &cobra.Command{
		Use: "publish ID", Short: "Show a reuse to everybody, as it was sent or as the desk left it", Args: cobra.ExactArgs(1),
		Long:    "Publish shows a reuse on every node, with the next answers that go out (koprik inquiry send). Open its address first, on another machine. Words and translations are changed at the desk.",
		Example: "  koprik reuse publish 3f0a9c12",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeReuse(cmd, args[0], func(c *portal.Case, e portal.CaseEvent) error {
				d := c.Reuse.Details
				if cmd.Flags().Changed("cohort") {
					d.Cohort = portal.CohortID(cohort)
				}
				return c.PublishReuse(d, node.NewInquiryID(), e)
			})
		},
	}
	cmd.Flags().StringVar(&cohort, "cohort", "", "what it was begun at; empty: nothing")
	return cmd
}

func (a *app) reuseRefuseCommand() *cobra.Command {
	var reason, lang string
	cmd := &cobra.Command{
		Use: "refuse ID --reason TEXT", Short: "Refuse a reuse, or take it back, with a reason that its submitter reads", Args: cobra.ExactArgs(1),
		Example: `  koprik reuse refuse 3f0a9c12 --reason "Manzil ochilmayapti."`,
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := portal.ParseLang(lang)
			if err != nil {
				return usage(cmd.CommandPath(), "--lang: %v", err)
			}
			return a.changeReuse(cmd, args[0], func(c *portal.Case, e portal.CaseEvent) error { return c.RefuseReuse(reason, l, e) })
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; needed")
	cmd.Flags().StringVar(&lang, "lang", "uz", "its language")
	return cmd
}

func (a *app) reuseStateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "state ID alive|sleeping|adopter", Short: "Say how a reuse is: a check-in by the desk", Args: cobra.ExactArgs(2),
		Example: "  koprik reuse state 3f0a9c12 adopter",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeReuse(cmd, args[0], func(c *portal.Case, e portal.CaseEvent) error {
				return c.CheckInReuse(portal.ReuseState(args[1]), e)
			})
		},
	}
}

func (a *app) reuseCohortCommand() *cobra.Command {
	var title, day string
	var entries int
	cmd := &cobra.Command{
		Use: "cohort [SLUG]", Short: "Name what reuses were begun at, or list what was named", Args: cobra.MaximumNArgs(1),
		Example: `  koprik reuse cohort suv-2026 --title "Suv xakatoni" --day 2026-05-01 --entries 20` + "\n  koprik reuse cohort",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error {
				if len(args) == 1 {
					c := portal.Cohort{ID: portal.CohortID(args[0]), Title: portal.PlainText(title), Day: portal.Date(day), Entries: entries}
					if err := n.SetCohort(cmd.Context(), c); err != nil {
						return err
					}
				}
				list, err := n.Cohorts(cmd.Context())
				if err != nil {
					return err
				}
				return a.answer(map[string]any{"cohorts": cohortRows(list)}, func() {
					for _, c := range list {
						name, _ := c.Title.In(portal.Uzbek)
						a.say("%-20s %s  %s took part  %s", c.ID, c.Day, orDash(strconv.Itoa(c.Entries)), name)
					}
				})
			})
		},
	}
	cmd.Flags().StringVar(&title, "title", "", "what it is called; needed")
	cmd.Flags().StringVar(&day, "day", "", "the day on which it ended, like 2026-05-01; needed")
	cmd.Flags().IntVar(&entries, "entries", 0, "how many took part, also those that are not shown")
	return cmd
}

func cohortRows(list []portal.Cohort) []map[string]any {
	rows := []map[string]any{}
	for _, c := range list {
		title, _ := c.Title.In(portal.Uzbek)
		rows = append(rows, map[string]any{"cohort": c.ID, "title": title, "day": c.Day, "entries": c.Entries})
	}
	return rows
}

// brokenRow is what a release takes from reuses, as programs read it.
type brokenRow struct {
	Columns []string     `json:"columns"`
	Reuses  []shortReuse `json:"reuses"`
}

// shortReuse is a reuse named in an answer about something else.
type shortReuse struct {
	ID    portal.InquiryID `json:"id"`
	Title string           `json:"title"`
	Link  string           `json:"link"`
}

func brokenRowOf(b *node.ReuseBreak) *brokenRow {
	if b == nil {
		return nil
	}
	row := &brokenRow{}
	for _, c := range b.Columns {
		row.Columns = append(row.Columns, c.String())
	}
	for _, r := range b.Reuses {
		title, _ := r.Title.In(portal.Uzbek)
		row.Reuses = append(row.Reuses, shortReuse{r.ID, title, r.Link})
	}
	return row
}

// sayBroken warns whoever published of what reads the columns that are gone.
func (a *app) sayBroken(id portal.DatasetID, b *node.ReuseBreak) {
	row := brokenRowOf(b)
	if row == nil {
		return
	}
	for _, c := range row.Columns {
		a.say("WARNING    %s: %s", id, c)
	}
	for _, r := range row.Reuses {
		a.say("           may break %s: %s", firstLine(r.Title), r.Link)
	}
	a.say("           They are marked so. To be asked before: koprik publish --keep-columns")
}

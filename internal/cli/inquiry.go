package cli

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"koprik/internal/node"
	"koprik/portal"
)

func (a *app) inquiryCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "inquiry", Short: "Work on the questions of citizens, at a centre"}
	cmd.AddCommand(a.inquiryListCommand(), a.inquiryShowCommand(), a.inquiryAssignCommand(), a.inquiryAnswerCommand(), a.inquiryRefuseCommand(),
		a.inquiryPublishCommand(), a.inquiryWithholdCommand(), a.inquiryClockCommand(), a.inquiryOpenCommand(), a.inquirySendCommand(), a.inquiryLettersCommand(), a.inquiryCalendarCommand())
	return cmd
}

// inquiryRow is an inquiry as programs read it.
type inquiryRow struct {
	ID         portal.InquiryID       `json:"id"`
	State      portal.InquiryState    `json:"state"`
	Kind       portal.InquiryKind     `json:"kind"`
	Received   string                 `json:"received"`
	Due        portal.Date            `json:"due"`
	Overdue    bool                   `json:"overdue"`
	Publisher  portal.PublisherID     `json:"publisher"`
	Contact    portal.ContactID       `json:"contact"`
	About      portal.Place           `json:"about"`
	Lang       portal.Lang            `json:"language"`
	Text       string                 `json:"text"`
	Email      string                 `json:"email"`
	Sealed     bool                   `json:"sealed"`
	Public     bool                   `json:"public"`
	Moderation portal.ModerationState `json:"moderation"`
	Thread     string                 `json:"thread"`
	Enrolled   bool                   `json:"node_enrolled"`
	Support    int                    `json:"support"`
	Answers    []portal.Answer        `json:"answers"`
	Events     []portal.CaseEvent     `json:"events"`
}

func inquiryRowOf(c portal.Case, today portal.Date, cal portal.WorkCalendar) inquiryRow {
	r := inquiryRow{
		ID: c.Inquiry.ID, State: c.State, Kind: c.Inquiry.Kind, Received: stamp(c.Received), Due: c.Deadline.Due,
		Publisher: c.Route.Publisher, Contact: c.Route.Contact, About: c.Inquiry.About, Lang: c.Inquiry.Lang, Text: c.Inquiry.Text,
		Email: c.Inquiry.Email, Sealed: !c.Opened, Public: c.Inquiry.Public, Moderation: c.Moderation.State, Enrolled: c.Enrolled,
		Support: len(c.Supporters), Answers: append([]portal.Answer{}, c.Answers...), Events: append([]portal.CaseEvent{}, c.Events...),
	}
	r.Overdue = c.State.Open() && c.Deadline.Due != "" && !c.Deadline.Stopped(today) && c.Deadline.Effective(today, cal) < today
	if c.Thread != (portal.InquiryID{}) {
		r.Thread = c.Thread.String()
	}
	return r
}

func (a *app) inquiryListCommand() *cobra.Command {
	q := portal.CaseQuery{Kinds: portal.DeskKinds}
	var states []string
	var publisher string
	var moderate, open bool
	cmd := &cobra.Command{
		Use: "list", Short: "List questions, the oldest first", Args: cobra.NoArgs,
		Example: "  koprik inquiry list --open\n  koprik inquiry list --publisher health --state answered",
		RunE: func(cmd *cobra.Command, _ []string) error {
			q.Publisher = portal.PublisherID(publisher)
			for _, s := range states {
				q.States = append(q.States, portal.InquiryState(s))
			}
			if open {
				q.States = []portal.InquiryState{portal.Received, portal.Assigned}
			}
			if moderate {
				q.Moderate = portal.Waiting
			}
			return a.with(cmd.Context(), func(n *node.Node) error { return a.listInquiries(cmd.Context(), n, q) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&publisher, "publisher", "", "only those that this publisher has to answer")
	f.StringSliceVar(&states, "state", nil, "only those in this state: received, assigned, answered, refused, published")
	f.BoolVar(&open, "open", false, "only those that wait for an answer")
	f.BoolVar(&moderate, "moderate", false, "only those that wait to be shown to the public")
	f.IntVar(&q.Limit, "limit", 100, "at most so many")
	return cmd
}

func (a *app) listInquiries(ctx context.Context, n *node.Node, q portal.CaseQuery) error {
	list, total, err := n.Cases(ctx, q)
	if err != nil {
		return err
	}
	cal, err := n.Calendar(ctx)
	if err != nil {
		return err
	}
	rows := []inquiryRow{}
	for _, c := range list {
		rows = append(rows, inquiryRowOf(c, portal.DateOf(n.Now()), cal))
	}
	return a.answer(map[string]any{"total": total, "inquiries": rows}, func() {
		for _, r := range rows {
			what := firstLine(r.Text)
			if r.Sealed {
				what = "(sealed: the key of its quarter is not here)"
			}
			late := ""
			if r.Overdue {
				late = " OVERDUE"
			}
			a.say("%s  %-9s %-10s due %-10s%s  %s/%s  %s", r.ID.String()[:8], r.State, r.Kind, r.Due, late, orDash(string(r.Publisher)), orDash(string(r.Contact)), what)
		}
		if total > len(rows) {
			a.say("%d of %d", len(rows), total)
		}
	})
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// firstLine is the beginning of a text, for a list.
func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func (a *app) inquiryShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show a question and all that was done with it", Args: cobra.ExactArgs(1),
		Example: "  koprik inquiry show 3f0a9c12",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error {
				c, err := n.FindCase(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return a.showInquiry(cmd.Context(), n, c)
			})
		},
	}
}

// showInquiry answers with one inquiry.
func (a *app) showInquiry(ctx context.Context, n *node.Node, c portal.Case) error {
	cal, err := n.Calendar(ctx)
	if err != nil {
		return err
	}
	r := inquiryRowOf(c, portal.DateOf(n.Now()), cal)
	return a.answer(r, func() {
		a.say("%s  %s, received %s, due %s", r.ID, r.State, r.Received, orDash(string(r.Due)))
		a.say("%s in %s about %s, for %s/%s", r.Kind, r.Lang, orDash(string(r.About.Dataset)), orDash(string(r.Publisher)), orDash(string(r.Contact)))
		if r.Sealed {
			a.say("It is sealed: the key of %s is not in keys/. koprik inquiry open --with FILE opens it.", c.Epoch)
			return
		}
		for _, line := range strings.Split(r.Text, "\n") {
			a.say("  | %s", line)
		}
		if r.Email != "" {
			a.say("The asker also reads %s.", r.Email)
		}
		for _, e := range r.Events {
			a.say("%s  %s %s %s", stamp(e.At), e.What, e.By, e.Note)
		}
		for _, s := range r.Answers {
			a.say("%s  %s: %s", stamp(s.At), s.State, s.Text)
		}
	})
}

// change is what commands do with one inquiry.
type change func(c *portal.Case, cal portal.WorkCalendar, e portal.CaseEvent) error

// changeInquiry does it and shows what has become of it.
func (a *app) changeInquiry(cmd *cobra.Command, id string, do change) error {
	return a.with(cmd.Context(), func(n *node.Node) error {
		c, err := n.FindCase(cmd.Context(), id)
		if err != nil {
			return err
		}
		if c, err = n.ChangeCase(cmd.Context(), c.Inquiry.ID, "command line", do); err != nil {
			return err
		}
		return a.showInquiry(cmd.Context(), n, c)
	})
}

func (a *app) inquiryAssignCommand() *cobra.Command {
	var publisher, contact string
	var centre bool
	cmd := &cobra.Command{
		Use: "assign ID --publisher SLUG [--contact ID]", Short: "Give a question to another office; its due date stays", Args: cobra.ExactArgs(1),
		Example: "  koprik inquiry assign 3f0a9c12 --publisher health --contact statistics",
		RunE: func(cmd *cobra.Command, args []string) error {
			if centre == (publisher != "") {
				return usage(cmd.CommandPath(), "either --publisher or --centre is needed")
			}
			r := portal.Route{Publisher: portal.PublisherID(publisher), Contact: portal.ContactID(contact), Level: portal.ToHolder}
			if centre {
				r.Level = portal.ToPortalTop
			}
			return a.changeInquiry(cmd, args[0], func(c *portal.Case, cal portal.WorkCalendar, e portal.CaseEvent) error {
				return c.Assign(r, portal.DefaultAnswerDays, cal, e)
			})
		},
	}
	cmd.Flags().StringVar(&publisher, "publisher", "", "the publisher that has to answer")
	cmd.Flags().StringVar(&contact, "contact", "", "a contact of its record")
	cmd.Flags().BoolVar(&centre, "centre", false, "the centre itself answers")
	return cmd
}

func (a *app) inquiryAnswerCommand() *cobra.Command {
	var ans portal.Answer
	var lang, dataset string
	var published bool
	cmd := &cobra.Command{
		Use: "answer ID", Short: "Answer a question; the words are read from standard input unless --text has them", Args: cobra.ExactArgs(1),
		Example: "  koprik inquiry answer 3f0a9c12 --lang uz --post Boshliq",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if ans.Lang, err = portal.ParseLang(lang); err != nil {
				return usage(cmd.CommandPath(), "--lang: %v", err)
			}
			ans.Dataset, ans.State = portal.DatasetID(dataset), portal.Answered
			if published {
				ans.State = portal.Published
			}
			if ans.Text == "" && !published {
				const most = 64 << 10
				b, err := io.ReadAll(io.LimitReader(a.stdin, most))
				if err != nil {
					return err
				}
				ans.Text = strings.TrimSpace(string(b))
			}
			return a.changeInquiry(cmd, args[0], func(c *portal.Case, cal portal.WorkCalendar, e portal.CaseEvent) error { return c.Reply(ans, cal, e) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&ans.Text, "text", "", "the answer")
	f.StringVar(&lang, "lang", "uz", "its language")
	f.StringVar(&ans.Post, "post", "", "the post that answers, never a name")
	f.StringVar(&ans.Office, "office", "", "its unit and office")
	f.StringVar(&dataset, "dataset", "", "the dataset in which the answer stands")
	f.IntVar(&ans.Release, "release", 0, "and its release")
	f.BoolVar(&published, "published", false, "the question became data: --dataset says which")
	return cmd
}

func (a *app) inquiryRefuseCommand() *cobra.Command {
	var reason, lang string
	cmd := &cobra.Command{
		Use: "refuse ID --reason TEXT", Short: "Refuse a question, with a reason that its asker reads", Args: cobra.ExactArgs(1),
		Example: `  koprik inquiry refuse 3f0a9c12 --reason "Bu maʼlumot yigʻilmaydi."`,
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := portal.ParseLang(lang)
			if err != nil {
				return usage(cmd.CommandPath(), "--lang: %v", err)
			}
			return a.changeInquiry(cmd, args[0], func(c *portal.Case, cal portal.WorkCalendar, e portal.CaseEvent) error {
				return c.Reply(portal.Answer{State: portal.Refused, Text: reason, Lang: l}, cal, e)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; needed")
	cmd.Flags().StringVar(&lang, "lang", "uz", "its language")
	return cmd
}

func (a *app) inquiryPublishCommand() *cobra.Command {
	var question string
	cmd := &cobra.Command{
		Use: "publish ID", Short: "Show a question to the public, with its answers; its asker wanted that", Args: cobra.ExactArgs(1),
		Long:    "Publish shows a question and its answers on the dataset's page of every node. Read it first: what names a person is taken out with --question. The asker's own words stay with the centre.",
		Example: "  koprik inquiry publish 3f0a9c12",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeInquiry(cmd, args[0], func(c *portal.Case, _ portal.WorkCalendar, e portal.CaseEvent) error {
				return c.Moderate(portal.Moderation{State: portal.Shown, Question: question}, node.NewInquiryID(), e)
			})
		},
	}
	cmd.Flags().StringVar(&question, "question", "", "what is shown in place of the asker's words")
	return cmd
}

func (a *app) inquiryWithholdCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "withhold ID --reason TEXT", Short: "Keep a question from the public: personal data, abuse, spam", Args: cobra.ExactArgs(1),
		Example: `  koprik inquiry withhold 3f0a9c12 --reason "names a person"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeInquiry(cmd, args[0], func(c *portal.Case, _ portal.WorkCalendar, e portal.CaseEvent) error {
				return c.Moderate(portal.Moderation{State: portal.Withheld, Reason: reason}, portal.InquiryID{}, e)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the desk alone; needed")
	return cmd
}

func (a *app) inquiryClockCommand() *cobra.Command {
	var reason string
	var start bool
	cmd := &cobra.Command{
		Use: "clock ID --stop REASON", Short: "Stop the clock of a question, with a public reason, or start it again", Args: cobra.ExactArgs(1),
		Example: `  koprik inquiry clock 3f0a9c12 --stop "Vazirlikdan soʻraldi"` + "\n  koprik inquiry clock 3f0a9c12 --start",
		RunE: func(cmd *cobra.Command, args []string) error {
			if start == (reason != "") {
				return usage(cmd.CommandPath(), "either --stop or --start is needed")
			}
			return a.changeInquiry(cmd, args[0], func(c *portal.Case, _ portal.WorkCalendar, e portal.CaseEvent) error {
				if start {
					return c.StartClock(e)
				}
				return c.StopClock(portal.PlainText(reason), e)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "stop", "", "why it stands: everybody reads it")
	cmd.Flags().BoolVar(&start, "start", false, "it goes on")
	return cmd
}

func (a *app) inquiryOpenCommand() *cobra.Command {
	var with []string
	cmd := &cobra.Command{
		Use: "open --with FILE", Short: "Open what came in with sealing keys that are kept elsewhere", Args: cobra.NoArgs,
		Example: "  koprik inquiry open --with /media/safe/sealing-2026q4.key",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error {
				opened, left, err := n.OpenCases(cmd.Context(), with)
				if err != nil {
					return err
				}
				return a.answer(map[string]int{"opened": opened, "sealed": left}, func() {
					a.say("%s opened, %d still sealed.", count(opened, "question"), left)
				})
			})
		},
	}
	cmd.Flags().StringSliceVar(&with, "with", nil, "a sealing key, sealing-<quarter>.key; not kept")
	return cmd
}

func (a *app) inquirySendCommand() *cobra.Command {
	var now bool
	cmd := &cobra.Command{
		Use: "send", Short: "Sign and publish acknowledgements, answers and public questions that are ready", Args: cobra.NoArgs,
		Long:    "Send opens what came in, with the keys in keys/, and publishes what there is to say to those who asked. A serving centre does so by itself (setting talkback_every).",
		Example: "  koprik inquiry send",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error {
				s, err := n.Speak(cmd.Context(), now)
				if err != nil {
					return err
				}
				return a.answer(map[string]any{"generation": s.Generation, "opened": s.Opened, "changed": s.Changed}, func() {
					a.say("%s opened; generation %d%s", count(s.Opened, "question"), s.Generation, map[bool]string{false: ", nothing new to say"}[s.Changed])
				})
			})
		},
	}
	cmd.Flags().BoolVar(&now, "now", false, "also answers whose daily batch is not due yet")
	return cmd
}

func (a *app) inquiryCalendarCommand() *cobra.Command {
	var holidays, working []string
	cmd := &cobra.Command{
		Use: "calendar", Short: "Show or set the days that are not worked, and weekend days that are", Args: cobra.NoArgs,
		Long:    "Calendar sets the whole list of holidays and of moved working days, by which due dates are counted from then on. Due dates that were set stay. It is signed and travels to every node.",
		Example: "  koprik inquiry calendar --holiday 2027-03-08,2027-03-21 --working 2027-03-13",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error {
				if len(holidays)+len(working) > 0 {
					c, err := calendarOf(cmd, holidays, working)
					if err != nil {
						return err
					}
					if err := n.SetCalendar(cmd.Context(), c); err != nil {
						return err
					}
				}
				c, err := n.Calendar(cmd.Context())
				if err != nil {
					return err
				}
				return a.answer(map[string]any{"holidays": append([]portal.Date{}, c.Holidays...), "working": append([]portal.Date{}, c.Working...)}, func() {
					for _, d := range c.Holidays {
						a.say("%s  %-9s not worked", d, d.Time().Weekday())
					}
					for _, d := range c.Working {
						a.say("%s  %-9s worked", d, d.Time().Weekday())
					}
				})
			})
		},
	}
	cmd.Flags().StringSliceVar(&holidays, "holiday", nil, "days that are not worked")
	cmd.Flags().StringSliceVar(&working, "working", nil, "days that are worked though on a weekend")
	return cmd
}

func calendarOf(cmd *cobra.Command, holidays, working []string) (portal.WorkCalendar, error) {
	dates := func(flag string, list []string) ([]portal.Date, error) {
		var all []portal.Date
		for _, s := range list {
			d, err := portal.ParseDate(s)
			if err != nil {
				return nil, usage(cmd.CommandPath(), "--%s: %v", flag, err)
			}
			all = append(all, d)
		}
		return all, nil
	}
	h, err := dates("holiday", holidays)
	if err != nil {
		return portal.WorkCalendar{}, err
	}
	w, err := dates("working", working)
	return portal.NewWorkCalendar(h, w), err
}

// since says when something was, or nothing.
func since(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return stamp(t)
}

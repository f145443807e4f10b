package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"koprik/internal/node"
	"koprik/portal"
)

// letterRow is a letter as programs read it.
type letterRow struct {
	Kind    portal.LetterKind `json:"kind"`
	To      string            `json:"to"` // publisher/contact, "centre" or "asker"
	Inquiry string            `json:"inquiry"`
	Made    string            `json:"made"`
	Next    string            `json:"next"`
	Tries   int               `json:"tries"`
	Problem string            `json:"problem"`
}

func (a *app) inquiryLettersCommand() *cobra.Command {
	var send bool
	var limit int
	cmd := &cobra.Command{
		Use: "letters", Short: "List the letters that wait to be sent, and why", Args: cobra.NoArgs,
		Long:    "Letters go by e-mail to those who have to answer, to those who have to be told that somebody waits too long, and to askers who left an address. A serving centre sends them by itself where mail_server is set. --send writes and sends what there is now, whatever was to be waited for.",
		Example: "  koprik inquiry letters\n  koprik inquiry letters --send",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error { return a.letters(cmd, n, send, limit) })
		},
	}
	cmd.Flags().BoolVar(&send, "send", false, "write and send now")
	cmd.Flags().IntVar(&limit, "limit", 100, "at most so many")
	return cmd
}

func (a *app) letters(cmd *cobra.Command, n *node.Node, send bool, limit int) error {
	sent := 0
	var problem error
	if send {
		sent, problem = n.WriteLetters(cmd.Context())
	}
	list, total, err := n.Letters(cmd.Context(), limit)
	if err != nil {
		return err
	}
	rows := []letterRow{}
	for _, l := range list {
		r := letterRow{Kind: l.Kind, To: l.To.String(), Made: stamp(l.Made), Next: stamp(l.Next), Tries: l.Tries, Problem: l.Problem}
		if l.Kind == portal.LetterAnswer {
			r.To = "asker"
		}
		if l.Inquiry != (portal.InquiryID{}) {
			r.Inquiry = l.Inquiry.String()
		}
		rows = append(rows, r)
	}
	if problem != nil && sent == 0 {
		return problem // what waits is said by the next look
	}
	err = a.answer(map[string]any{"sent": sent, "total": total, "letters": rows}, func() {
		if send {
			a.say("%s sent.", count(sent, "letter"))
		}
		for _, r := range rows {
			a.say("%-8s  to %s  %s  next %s, tried %d×  %s", r.Kind, r.To, orDash(shortID(r.Inquiry)), r.Next, r.Tries, r.Problem)
		}
		a.say("%s waiting.", count(total, "letter"))
	})
	if problem != nil {
		return problem
	}
	return err
}

// shortID is the beginning of an id, as people say it.
func shortID(id string) string {
	const digits = 8
	return id[:min(len(id), digits)]
}

func (a *app) mailInCommand() *cobra.Command {
	return &cobra.Command{
		Use: "mail-in", Short: "Take one e-mail from standard input: a reply to a letter, or the report that one came back", Args: cobra.NoArgs,
		Long: "Mail-in is what a mail server runs for each message to mail_reply (how-to: mail). A reply becomes the answer of whoever the letter was written to; " +
			"a report of failure marks the contact and moves its questions on; absence notes are ignored. A reply to nothing, or with nothing above the quotation, ends with 8.",
		Example: "  koprik mail-in --dir /var/lib/koprik",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error {
				out, err := n.TakeMail(cmd.Context(), a.stdin)
				if err != nil {
					return err
				}
				id := ""
				if out.Inquiry != (portal.InquiryID{}) {
					id = out.Inquiry.String()
				}
				to := ""
				if out.What != "ignored" {
					to = out.To.String()
				}
				return a.answer(map[string]string{"what": out.What, "why": out.Why, "inquiry": id, "contact": to}, func() {
					a.say("%s", strings.TrimSpace(out.What+" "+shortID(id)+" "+to+" "+out.Why))
				})
			})
		},
	}
}

// reachRow is a contact as programs read it.
type reachRow struct {
	Contact   string `json:"contact"`
	Email     string `json:"email"`
	Heard     string `json:"heard"`
	Asked     string `json:"asked"`
	Missed    int    `json:"missed"`
	Amber     string `json:"amber"`
	AmberFrom string `json:"amber_since"`
}

func (a *app) publisherReachCommand() *cobra.Command {
	var reached string
	cmd := &cobra.Command{
		Use: "reach", Short: "Show who answers for data, and who of them cannot be reached", Args: cobra.NoArgs,
		Long:    "A contact is amber when a letter came back, when two letters that asked whether it is still there had no answer, or when it said so itself; questions go to the next office then. It ends when the contact answers, when its record gets another address, or with --reached.",
		Example: "  koprik publisher reach\n  koprik publisher reach --reached health/statistics",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error {
				if reached != "" {
					publisher, contact, ok := strings.Cut(reached, "/")
					if !ok {
						return usage(cmd.CommandPath(), "--reached takes PUBLISHER/CONTACT, and got %q", reached)
					}
					if err := n.ClearAmber(cmd.Context(), portal.ContactRef{Publisher: portal.PublisherID(publisher), Contact: portal.ContactID(contact)}); err != nil {
						return err
					}
				}
				return a.showReach(cmd, n)
			})
		},
	}
	cmd.Flags().StringVar(&reached, "reached", "", "this contact, PUBLISHER/CONTACT, can be reached again")
	return cmd
}

func (a *app) showReach(cmd *cobra.Command, n *node.Node) error {
	list, err := n.Contacts(cmd.Context())
	if err != nil {
		return err
	}
	rows := []reachRow{}
	for _, r := range list {
		row := reachRow{Contact: r.String(), Email: r.Email, Heard: since(r.Confirmed), Asked: since(r.Asked), Missed: r.Missed}
		if r.IsAmber(r.Email) {
			row.Amber, row.AmberFrom = r.Amber.Why, since(r.Amber.Since)
		}
		rows = append(rows, row)
	}
	return a.answer(map[string]any{"contacts": rows}, func() {
		for _, r := range rows {
			state := "heard of " + r.Heard
			if r.Amber != "" {
				state = "AMBER since " + r.AmberFrom + ": " + r.Amber
			}
			a.say("%s  %s  %s", r.Contact, r.Email, state)
		}
	})
}

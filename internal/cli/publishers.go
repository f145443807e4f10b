package cli

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"koprik/internal/node"
	"koprik/portal"
)

func (a *app) publisherCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "publisher", Short: "Add and list publishers"}
	var title, contact string
	var with []string
	add := &cobra.Command{
		Use:     "add SLUG --title TITLE",
		Short:   "Give a publisher a key of its own and its part of the repository",
		Example: `  koprik publisher add health --title "Sogʻliqni saqlash" --contact desk@health.example.org`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := portal.ParsePublisherID(args[0])
			if err != nil {
				return usage(cmd.CommandPath(), "%v", err)
			}
			if title == "" {
				return usage(cmd.CommandPath(), "--title is missing")
			}
			return a.bringing(cmd.Context(), with, func(n *node.Node) error {
				if err := n.AddPublisher(cmd.Context(), id, title, contact); err != nil {
					return err
				}
				return a.answer(map[string]string{"publisher": string(id)}, func() { a.say("The publisher %s is added.", id) })
			})
		},
	}
	add.Flags().StringVar(&title, "title", "", "the publisher's name")
	add.Flags().StringVar(&contact, "contact", "", "e-mail of the desk that answers for its data without a passport")
	withFlag(add, &with)
	list := &cobra.Command{
		Use: "list", Short: "List publishers", Example: "  koprik publisher list", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error { return a.publishers(cmd.Context(), n) })
		},
	}
	cmd.AddCommand(add, list, a.publisherContactCommand(), a.publisherReachCommand(), a.publisherMoveCommand())
	return cmd
}

func (a *app) publishers(ctx context.Context, n *node.Node) error {
	all, err := n.Publishers(ctx)
	if err != nil {
		return err
	}
	type row struct {
		ID    portal.PublisherID `json:"publisher"`
		Title string             `json:"title"`
		Email string             `json:"contact"`
	}
	rows := []row{}
	for _, p := range all {
		c, _ := p.Contact(p.Default)
		rows = append(rows, row{p.ID, p.Title.Plain, c.Email})
	}
	return a.answer(rows, func() {
		for _, r := range rows {
			a.say("%-20s %s  %s", r.ID, r.Title, r.Email)
		}
	})
}

func (a *app) publisherContactCommand() *cobra.Command {
	var email, phone, post, unit string
	var with []string
	cmd := &cobra.Command{
		Use:   "contact SLUG --email EMAIL",
		Short: "Say who answers for what a publisher publishes without a passport",
		Long: `Contact writes a publisher's own contact: the post and the mailbox that answer for
data which comes without a passport. It is signed and travels to every mirror. What
is not said stays as it was.`,
		Example: `  koprik publisher contact main --email desk@example.org --post "Ochiq maʼlumotlar uchun masʼul"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := portal.ParsePublisherID(args[0])
			if err != nil {
				return usage(cmd.CommandPath(), "%v", err)
			}
			if err := portal.CheckEmail(email); err != nil {
				return usage(cmd.CommandPath(), "--email: %v", err)
			}
			c := portal.Contact{Email: email, Phone: phone, Post: portal.PlainText(post), Unit: portal.PlainText(unit)}
			return a.bringing(cmd.Context(), with, func(n *node.Node) error {
				generation, err := n.SetContact(cmd.Context(), id, c)
				if err != nil {
					return err
				}
				return a.answer(map[string]any{"publisher": id, "contact": email, "generation": generation}, func() {
					a.say("%s answers for what %s publishes without a passport (generation %d).", email, id, generation)
				})
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&email, "email", "", "mailbox that somebody reads, best of the office and not of a person")
	f.StringVar(&post, "post", "", "the post that answers (when nothing was said before: responsible for open data)")
	f.StringVar(&unit, "unit", "", "its department (when nothing was said before: the publisher's name)")
	f.StringVar(&phone, "phone", "", "its phone")
	withFlag(cmd, &with)
	return cmd
}

func (a *app) publisherMoveCommand() *cobra.Command {
	var from, trust string
	var with []string
	cmd := &cobra.Command{
		Use:   "move SLUG --from URL|DIR --trust ROOT",
		Short: "Take over at an agency what a centre has published for a publisher until now",
		Long: `Move fetches everything that a centre has published for a publisher, with its whole
history, verifies it, and publishes it on this node under the keys that the publisher
has here. Then the centre lets these keys sign (koprik key delegate), and koprik
publish --to hands the same releases back. Run it again to take what has come since.`,
		Example: "  koprik publisher move health --from https://data.example.org --trust root.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := portal.ParsePublisherID(args[0])
			if err != nil {
				return usage(cmd.CommandPath(), "%v", err)
			}
			if from == "" || trust == "" {
				return usage(cmd.CommandPath(), "--from and --trust are needed: the centre's address, and its root of trust")
			}
			root, err := os.ReadFile(trust)
			if err != nil {
				return portal.Rejected(trust, "cannot be read: %v", err)
			}
			return a.bringing(cmd.Context(), with, func(n *node.Node) error { return a.movePublisher(cmd.Context(), n, id, from, root) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&from, "from", "", "the centre's address, or a folder with its repository")
	f.StringVar(&trust, "trust", "", "file with the root of trust of the centre's repository")
	withFlag(cmd, &with)
	return cmd
}

func (a *app) movePublisher(ctx context.Context, n *node.Node, id portal.PublisherID, from string, root []byte) error {
	m, err := n.Move(ctx, id, from, root)
	if err != nil {
		return err
	}
	out := map[string]any{"publisher": m.Publisher, "generation": m.Generation, "datasets": m.Datasets, "releases": m.Releases}
	return a.answer(out, func() {
		a.say("%s of %s in %s stand here (generation %d).", count(m.Releases, "release"), m.Publisher, count(m.Datasets, "dataset"), m.Generation)
		a.say("Now let the centre delegate to its key here (koprik key show %s --public), and then: koprik publish --to %s", m.Publisher, from)
	})
}

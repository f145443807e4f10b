package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"koprik/internal/node"
	"koprik/portal"
)

func (a *app) userCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "Say who can sign in at the desk"}
	cmd.AddCommand(a.userAddCommand(), a.userListCommand(), a.userPasswordCommand(), a.userSetCommand(),
		a.userChangeCommand("disable", "Sign an account out and let nobody sign in by it", "can no longer sign in", func(u *portal.Account, now time.Time) { u.Disabled = now }),
		a.userChangeCommand("enable", "Let an account that was disabled sign in again", "can sign in", func(u *portal.Account, _ time.Time) { u.Disabled = time.Time{} }),
		a.userFactorCommand())
	return cmd
}

// accountFlags are the parts of an account that a person names.
type accountFlags struct{ role, publisher, contact, post, language string }

func (f *accountFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.role, "role", "", "holder, coordinator, moderator or admin")
	flags.StringVar(&f.publisher, "publisher", "", "slug of the publisher of a holder or coordinator")
	flags.StringVar(&f.contact, "contact", "", "id of the contact for which a holder answers")
	flags.StringVar(&f.post, "post", "", "what is shown of the account: a post, never a person's name")
	flags.StringVar(&f.language, "language", "", "of the desk's pages: uz, uz-cyrl, kaa, ru or en")
	var roles []cobra.Completion
	for _, r := range portal.DeskRoles {
		roles = append(roles, string(r))
	}
	_ = cmd.RegisterFlagCompletionFunc("role", cobra.FixedCompletions(roles, cobra.ShellCompDirectiveNoFileComp))
}

func (f *accountFlags) account(name string) portal.Account {
	return portal.Account{
		Name: name, Role: portal.DeskRole(f.role), Publisher: portal.PublisherID(f.publisher), Contact: portal.ContactID(f.contact),
		Post: f.post, Lang: portal.Lang(f.language),
	}
}

func (a *app) userAddCommand() *cobra.Command {
	var f accountFlags
	cmd := &cobra.Command{
		Use:   "add NAME --role ROLE --post POST",
		Short: "Make an account that can sign in at the desk",
		Long: `Add makes an account. Its password is asked for twice on a terminal, and is the first
line of standard input otherwise; it has at least 12 characters.

A holder answers what is routed to one contact of a publisher. A coordinator sees all
inquiries of a publisher and says who of it gets them. A moderator, of the centre, says
what the public sees and who gets an inquiry. An admin also keeps accounts and nodes.`,
		Example: `  koprik user add prices --role holder --publisher stat --contact prices --post "Head of price statistics"
  koprik user add admin --role admin --post "Administrator"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			account := f.account(args[0])
			if err := account.Validate(); err != nil {
				return err
			}
			password, err := a.newSecret("Password")
			if err != nil {
				return err
			}
			return a.with(cmd.Context(), func(n *node.Node) error {
				if err := n.AddAccount(cmd.Context(), account, string(password)); err != nil {
					return err
				}
				return a.user(cmd.Context(), n, account.Name, "can sign in at /desk")
			})
		},
	}
	f.add(cmd)
	return cmd
}

// userRow is what --json says of an account.
type userRow struct {
	Name         string `json:"name"`
	Role         string `json:"role"`
	Publisher    string `json:"publisher,omitempty"`
	Contact      string `json:"contact,omitempty"`
	Post         string `json:"post"`
	Language     string `json:"language,omitempty"`
	Created      string `json:"created"`
	Disabled     string `json:"disabled,omitempty"`
	SecondFactor bool   `json:"second_factor"`
}

func rowOfAccount(u portal.Account) userRow {
	row := userRow{
		Name: u.Name, Role: string(u.Role), Publisher: string(u.Publisher), Contact: string(u.Contact), Post: u.Post,
		Language: string(u.Lang), Created: stamp(u.Created), SecondFactor: u.SecondFactor,
	}
	if !u.Disabled.IsZero() {
		row.Disabled = stamp(u.Disabled)
	}
	return row
}

// user says what an account is now.
func (a *app) user(ctx context.Context, n *node.Node, name, what string) error {
	u, err := n.Account(ctx, name)
	if err != nil {
		return err
	}
	return a.answer(rowOfAccount(u), func() { a.say("%s (%s) %s.", u.Name, u.Role, what) })
}

func (a *app) userListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List who can sign in at the desk", Example: "  koprik user list --json", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error {
				all, err := n.Accounts(cmd.Context())
				if err != nil {
					return err
				}
				rows := []userRow{}
				for _, u := range all {
					rows = append(rows, rowOfAccount(u))
				}
				return a.answer(rows, func() {
					for _, r := range rows {
						state := ""
						if r.Disabled != "" {
							state = "  disabled"
						}
						a.say("%-20s %-12s %-20s %s%s", r.Name, r.Role, r.Publisher, r.Post, state)
					}
				})
			})
		},
	}
}

func (a *app) userPasswordCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "passwd NAME",
		Short:   "Give an account another password, and sign it out everywhere",
		Example: "  koprik user passwd prices",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := a.newSecret("Password")
			if err != nil {
				return err
			}
			return a.with(cmd.Context(), func(n *node.Node) error {
				if err := n.SetPassword(cmd.Context(), args[0], string(password)); err != nil {
					return err
				}
				return a.user(cmd.Context(), n, args[0], "has another password and is signed out")
			})
		},
	}
}

func (a *app) userSetCommand() *cobra.Command {
	var f accountFlags
	cmd := &cobra.Command{
		Use:   "set NAME",
		Short: "Change what an account is: what is not named stays",
		Long: `Set changes an account's role, publisher, contact, post or language. An account whose
rights change is signed out.`,
		Example: `  koprik user set prices --role coordinator --contact ""`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			changed, to := cmd.Flags().Changed, f.account(args[0])
			return a.with(cmd.Context(), func(n *node.Node) error {
				err := n.ChangeAccount(cmd.Context(), args[0], func(u *portal.Account) {
					if changed("role") {
						u.Role = to.Role
					}
					if changed("publisher") {
						u.Publisher = to.Publisher
					}
					if changed("contact") {
						u.Contact = to.Contact
					}
					if changed("post") {
						u.Post = to.Post
					}
					if changed("language") {
						u.Lang = to.Lang
					}
				})
				if err != nil {
					return err
				}
				return a.user(cmd.Context(), n, args[0], "is changed")
			})
		},
	}
	f.add(cmd)
	return cmd
}

func (a *app) userChangeCommand(name, short, what string, change func(u *portal.Account, now time.Time)) *cobra.Command {
	return &cobra.Command{
		Use: name + " NAME", Short: short, Example: "  koprik user " + name + " prices", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error {
				if err := n.ChangeAccount(cmd.Context(), args[0], func(u *portal.Account) { change(u, n.Now()) }); err != nil {
					return err
				}
				return a.user(cmd.Context(), n, args[0], what)
			})
		},
	}
}

func (a *app) userFactorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "forget-factor NAME",
		Short: "Take away the second factor of an account whose telephone and paper are lost",
		Long: `Forget-factor lets an account sign in by its password alone, until it sets up a second
factor anew. Make sure who is asking first. The account is signed out everywhere.`,
		Example: "  koprik user forget-factor prices",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error {
				if err := n.RemoveSecondFactor(cmd.Context(), args[0]); err != nil {
					return err
				}
				return a.user(cmd.Context(), n, args[0], "has no second factor and is signed out")
			})
		},
	}
}

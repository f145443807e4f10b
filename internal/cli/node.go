package cli

import (
	"github.com/spf13/cobra"

	"koprik/internal/node"
	"koprik/portal"
)

func (a *app) nodeCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "node", Short: "Enrol the nodes whose questions come to a centre"}
	var name string
	show := &cobra.Command{
		Use: "show", Short: "Show this node's own key, which its centre enrols", Args: cobra.NoArgs, Example: "  koprik node show",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error {
				id, public, err := n.OwnKey(cmd.Context())
				if err != nil {
					return err
				}
				return a.answer(map[string]string{"node": id.Hex(), "key": public, "words": portal.SixWords(id.Hex())}, func() {
					a.say("%s\n%s", public, portal.SixWords(id.Hex()))
					a.say("At the centre: koprik node add %s --name NAME", public)
				})
			})
		},
	}
	add := &cobra.Command{
		Use: "add KEY --name NAME", Short: "Enrol a node by its key: its questions are taken without a limit and are not marked", Args: cobra.ExactArgs(1),
		Example: "  koprik node add 6ab8af174edb5fd380ca368b39aaab9206add3f782fa0bd5ef3c0694a13ef3a7 --name Xiva",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error {
				id, err := node.NodeKey(args[0])
				if err != nil {
					return err
				}
				return a.setNode(cmd, n, portal.KnownNode{ID: id, Public: args[0], Name: name, Enrolled: n.Now()})
			})
		},
	}
	add.Flags().StringVar(&name, "name", "", "where it stands, for people")
	list := &cobra.Command{
		Use: "list", Short: "List nodes, with what is missing or came twice", Args: cobra.NoArgs, Example: "  koprik node list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error { return a.listNodes(cmd, n) })
		},
	}
	revoke := &cobra.Command{
		Use: "revoke KEY", Short: "Trust a node no longer: a stolen or cloned card. What it sends is kept, and marked", Args: cobra.ExactArgs(1),
		Example: "  koprik node revoke 6ab8af174edb5fd380ca368b39aaab9206add3f782fa0bd5ef3c0694a13ef3a7",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(n *node.Node) error {
				id, err := node.NodeKey(args[0])
				if err != nil {
					return err
				}
				all, err := n.KnownNodes(cmd.Context())
				if err != nil {
					return err
				}
				for _, k := range all {
					if k.ID == id {
						k.Revoked = n.Now()
						return a.setNode(cmd, n, k)
					}
				}
				return &portal.Problem{Kind: portal.ErrNotFound, Where: "node", Message: "nothing is known of this key", Hint: "koprik node list shows those that are"}
			})
		},
	}
	cmd.AddCommand(show, add, list, revoke)
	return cmd
}

func (a *app) setNode(cmd *cobra.Command, n *node.Node, k portal.KnownNode) error {
	if err := n.SetNode(cmd.Context(), k); err != nil {
		return err
	}
	return a.answer(map[string]any{"node": k.ID.Hex(), "name": k.Name, "enrolled": k.Trusted()}, func() {
		state := "is enrolled"
		if !k.Trusted() {
			state = "is revoked"
		}
		a.say("%s (%s) %s.", k.Name, portal.SixWords(k.ID.Hex()), state)
	})
}

// nodeRow is a node as programs read it.
type nodeRow struct {
	Node       string   `json:"node"`
	Key        string   `json:"key"`
	Name       string   `json:"name"`
	Enrolled   bool     `json:"enrolled"`
	Revoked    bool     `json:"revoked"`
	FirstSeen  string   `json:"first_seen"`
	LastSeen   string   `json:"last_seen"`
	Posts      int      `json:"posts"`
	Inquiries  int      `json:"inquiries"`
	Highest    uint64   `json:"highest"`
	Missing    int      `json:"missing"`
	Duplicates []uint64 `json:"duplicates"`
	Uncounted  int      `json:"uncounted"`
}

func (a *app) listNodes(cmd *cobra.Command, n *node.Node) error {
	all, err := n.KnownNodes(cmd.Context())
	if err != nil {
		return err
	}
	rows := []nodeRow{}
	for _, k := range all {
		rows = append(rows, nodeRow{
			Node: k.ID.Hex(), Key: k.Public, Name: k.Name, Enrolled: k.Trusted(), Revoked: !k.Revoked.IsZero(), FirstSeen: since(k.FirstSeen), LastSeen: since(k.LastSeen),
			Posts: k.Posts, Inquiries: k.Inquiries, Highest: k.Highest, Missing: k.Missing, Duplicates: append([]uint64{}, k.Duplicates...), Uncounted: k.Uncounted,
		})
	}
	return a.answer(rows, func() {
		for _, r := range rows {
			state := "not enrolled"
			switch {
			case r.Revoked:
				state = "revoked"
			case r.Enrolled:
				state = "enrolled"
			}
			a.say("%s  %-20s %-12s last %s, %s", r.Key, r.Name, state, r.LastSeen, count(r.Inquiries, "question"))
			if r.Missing > 0 {
				a.say("    %s up to %d have not come: on their way, or lost", count(r.Missing, "number"), r.Highest)
			}
			if r.Uncounted > 0 {
				a.say("    %s of use came while it was not enrolled, and counted for nothing", count(r.Uncounted, "report"))
			}
			if len(r.Duplicates) > 0 {
				a.say("    numbers that came twice: %v. Its card was copied: give one of the two a new data directory", r.Duplicates)
			}
		}
	})
}

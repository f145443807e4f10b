package desk

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"koprik/portal"
)

// NodesPage is the struct of nodes.html.
type NodesPage struct {
	*Frame
	Nodes []Node
}

// Node is a machine from which inquiries come.
type Node struct {
	ID, Short, Name, State string
	Seen, Inquiries        string
	Missing, Twice         string // what its sequence numbers tell; "" nothing
	Trusted                bool
}

func (v *visit) nodesPage() error { return v.showNodes(http.StatusOK, nil) }

func (v *visit) showNodes(status int, problems []string) error {
	all, err := v.desk.o.Nodes.KnownNodes(v.r.Context())
	if err != nil {
		return err
	}
	page := NodesPage{Frame: v.frame(v.T("desk.nodes"))}
	page.Problems = problems
	for _, n := range all {
		row := Node{ID: n.ID.Hex(), Short: n.ID.Short(), Name: n.Name, Inquiries: v.Int(int64(n.Inquiries)), Trusted: n.Trusted()}
		switch {
		case !n.Revoked.IsZero():
			row.State = v.T("desk.revoked")
		case n.Trusted():
			row.State = v.T("desk.enrolled")
		default:
			row.State = v.T("desk.stranger")
		}
		if !n.LastSeen.IsZero() {
			row.Seen = v.Ago(v.now.Sub(n.LastSeen))
		}
		if n.Missing > 0 {
			row.Missing = v.N("desk.missingnumbers", n.Missing)
		}
		if len(n.Duplicates) > 0 {
			numbers := make([]string, len(n.Duplicates))
			for i, d := range n.Duplicates {
				numbers[i] = strconv.FormatUint(d, 10)
			}
			row.Twice = v.T("desk.cloned", "numbers", strings.Join(numbers, ", "))
		}
		page.Nodes = append(page.Nodes, row)
	}
	return v.render(status, "nodes", page)
}

// changeNode enrols a node, names it, or revokes it.
func (v *visit) changeNode() error {
	id, err := portal.ParseDigest("sha256:" + v.field("id"))
	if err != nil {
		return portal.ErrNotFound
	}
	all, err := v.desk.o.Nodes.KnownNodes(v.r.Context())
	if err != nil {
		return err
	}
	const longest = 100
	name := v.field("name")
	if problems := v.bounded("desk.nodename", name, longest); len(problems) > 0 {
		return v.showNodes(http.StatusUnprocessableEntity, problems)
	}
	for _, n := range all {
		if n.ID != id {
			continue
		}
		n.Name = name
		switch v.field("do") {
		case "enrol":
			n.Enrolled, n.Revoked = v.now, time.Time{}
		case "revoke":
			n.Revoked = v.now
		}
		if err := v.desk.o.Nodes.SetNode(v.r.Context(), n); err != nil {
			return err
		}
		return v.redirect("/desk/nodes?done=node")
	}
	return portal.ErrNotFound
}

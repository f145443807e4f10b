package node

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// oldBackup is the age of a backup from which the doctor speaks of it.
const oldBackup = 8 * 24 * time.Hour

// lookLocal looks over what nobody could give back: local.db, what waits in it, and
// its backup. It gives how many things in local.db are damaged.
func (n *Node) lookLocal(ctx context.Context, d *Diagnosis) (damaged int, err error) {
	faults, err := n.local.Check(ctx)
	if err != nil {
		return 0, err
	}
	damaged = len(faults)
	for _, f := range faults {
		d.Found = append(d.Found, localFile+": "+f)
	}
	w, err := n.local.Waits(ctx)
	if err != nil {
		return damaged, err
	}
	if w.Count+w.Relayed > 0 {
		note := fmt.Sprintf("%d questions wait for the centre, and %d posts of other nodes (%d bytes of %d)", w.Count, w.Relayed, w.Bytes, outboxRoom)
		if w.Oldest != "" {
			note += ", the oldest since " + string(w.Oldest)
		}
		d.Notes = append(d.Notes, note)
	}
	mail, err := n.MailState(ctx)
	if err != nil {
		return damaged, err
	}
	if mail.Trouble(n.Now()) {
		d.Notes = append(d.Notes, fmt.Sprintf("%d letters wait for the mail server, the oldest since %s: %s", mail.Waiting, mail.Oldest.Format(time.RFC3339), mail.Problem))
	}
	last, err := n.lastBackup(ctx)
	switch {
	case err != nil:
		return damaged, err
	case last.IsZero():
		d.Notes = append(d.Notes, "there is no backup of this node: koprik backup --to FILE")
	case n.Now().Sub(last) > oldBackup:
		d.Notes = append(d.Notes, fmt.Sprintf("the last backup is %d days old: koprik backup --to FILE", int(n.Now().Sub(last).Hours()/24)))
	}
	if held, _, err := n.local.Get(ctx, heldKey); err != nil {
		return damaged, err
	} else if held != "" {
		d.Notes = append(d.Notes, "this centre was restored and does not sign yet: koprik restore --newer MIRROR")
	}
	aside, err := replaced(n.root)
	if len(aside) > 0 {
		d.Notes = append(d.Notes, "what a restore has put aside is still here, keys too: "+strings.Join(aside, ", "))
	}
	return damaged, err
}

package site

import (
	"strings"

	"koprik/portal"
)

// nodePage is the struct of templates/node.html.
type nodePage struct {
	*Frame
	Lead   string
	Alarms []string // in words
	Rows   []Row
}

// node shows the node's own state. The generation is the view's, as on every
// page; the rest is the node's, at this moment.
func (s *site) node(v *visit) (answer, error) {
	state, status := v.view.State(), v.status
	count, err := v.view.Count(v.ctx)
	if err != nil {
		return answer{}, err
	}
	v.Title = v.T("node.title")
	p := &nodePage{Frame: v.Frame, Lead: v.lead(state)}
	for _, a := range status.Alarms {
		p.Alarms = append(p.Alarms, v.T("node.alarmtext", "role", a.Role, "n", a.Version, "date", v.day(a.Found)))
	}
	var rs rows
	if status.Role == portal.Central || status.Role == portal.Mirror || status.Role == portal.Agency {
		v.add(&rs, v.T("node.role"), plain(v.Role(status.Role)))
	}
	v.add(&rs, v.T("node.generation"), plain(v.Int(state.Generation)))
	v.add(&rs, v.T("node.asof"), plain(v.moment(state.AsOf)))
	v.add(&rs, v.T("node.expires"), plain(v.moment(state.Expires)))
	v.add(&rs, v.T("node.datasets"), plain(v.Int(int64(count))))
	if status.Upstream != "" {
		v.add(&rs, v.T("node.upstream"), outside(status.Upstream, status.Upstream))
		last, result := v.T("node.never"), ""
		if !status.LastSync.IsZero() {
			last, result = v.moment(status.LastSync), v.T("node.ok")
		}
		if status.LastResult != "" {
			result = v.T("node.notok", "reason", clip(status.LastResult, 600))
		}
		v.add(&rs, v.T("node.lastsync"), plain(last))
		v.add(&rs, v.T("node.result"), plain(result))
		if v.Kiosk == nil {
			v.sync(&rs, status)
		}
	}
	if status.Outbox > 0 {
		v.add(&rs, v.T("node.outbox"), plain(v.Int(int64(status.Outbox))))
	}
	v.add(&rs, v.T("node.contact"), Value{Shown: Shown{Text: status.Contact}, Href: mail(status.Contact)})
	v.add(&rs, v.T("node.version"), plain(status.Version))
	if !state.Repository.IsZero() {
		v.add(&rs, v.T("node.repository"), Value{Shown: Shown{Text: state.Repository.Hex()}, Code: true})
	}
	keys := make([]Value, len(status.SignedBy))
	for i, id := range status.SignedBy {
		keys[i] = Value{Shown: Shown{Text: strings.ToLower(shortKey(id))}, Code: true}
	}
	v.add(&rs, v.T("node.signers"), keys...)
	p.Rows = rs
	return answer{template: "node", data: p}, nil
}

// lead says in one sentence how old the copy is.
func (v *visit) lead(state portal.CopyState) string {
	ago := v.Ago(v.now.Sub(state.AsOf))
	switch v.grade(state) {
	case "none":
		return v.T("node.none")
	case "fresh":
		return v.T("node.fresh", "ago", ago)
	case "stale":
		return v.T("node.stale", "ago", ago)
	}
	return v.T("node.old", "ago", ago)
}

// sync says what a sync is doing, and what the last one brought, how, and what
// it saved: for those who run the node, and not on a public screen.
func (v *visit) sync(rs *rows, status portal.Status) {
	if now := status.Doing; now != nil {
		text := v.Stage(now.Stage)
		if now.Total > 0 {
			text = v.T("node.of", "stage", text, "percent", min(100, now.Done*100/now.Total))
		}
		v.add(rs, v.T("node.doing"), plain(text))
	}
	if d := status.Brought; d != nil {
		v.add(rs, v.T("node.brought"), plain(v.T("node.change", "added", d.Added, "updated", d.Updated, "removed", d.Removed)))
		var ways []Value
		for _, way := range portal.Ways {
			if n := d.Ways[way]; n > 0 {
				ways = append(ways, plain(v.Way(way, n)))
			}
		}
		if len(ways) > 0 {
			v.add(rs, v.T("node.how"), ways...)
		}
		line := v.Bytes(d.Bytes)
		if d.Contents > d.Bytes {
			line = v.T("node.saved", "bytes", line, "contents", v.Bytes(d.Contents), "percent", 100-d.Bytes*100/d.Contents)
		}
		v.add(rs, v.T("node.line"), plain(line))
	}
	if status.Owed {
		v.add(rs, v.T("node.owed"), plain("koprik sync"))
	}
}

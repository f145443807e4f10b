package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/mirror"
	"koprik/ui/api"
)

// alarmsDir keeps what proves that somebody has signed two different things under
// one version: <found>-<role>-<version>-<digest>.json, both sides' signed files
// in it. A person removes it, after the centre has said what happened.
const alarmsDir = "alarms"

// maxAlarms bounds how many are kept: the first ones tell what there is to tell.
const maxAlarms = 16

// sentSuffix marks, beside it, an alarm that the upstream has taken.
const sentSuffix = ".sent"

// alarmTime is how a file's name says when it was found.
const alarmTime = "20060102T150405Z"

// Alarms are the contradictions that this node keeps proof of, oldest first.
func (n *Node) Alarms() ([]portal.Alarm, error) {
	entries, err := n.root.ReadDir(alarmsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []portal.Alarm
	for _, e := range entries {
		a, ok := parseAlarm(e.Name())
		if !ok {
			continue
		}
		_, err := n.root.Stat(alarmsDir + "/" + e.Name() + sentSuffix)
		a.Reported = err == nil
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b portal.Alarm) int { return strings.Compare(a.File, b.File) })
	return all, nil
}

func alarmName(e *mirror.Equivocation, now time.Time) string {
	return fmt.Sprintf("%s-%s-%d-%s.json", now.UTC().Format(alarmTime), e.Role, e.Version, portal.DigestOf(e.Evidence).Short())
}

// parseAlarm reads the name of a file; a publisher's slug may have hyphens.
func parseAlarm(name string) (a portal.Alarm, ok bool) {
	stem, ok := strings.CutSuffix(name, ".json")
	parts := strings.Split(stem, "-")
	const least = 4
	if !ok || len(parts) < least || disk.IsTemp(name) {
		return a, false
	}
	found, err := time.Parse(alarmTime, parts[0])
	if err != nil {
		return a, false
	}
	if _, err := fmt.Sscan(parts[len(parts)-2], &a.Version); err != nil {
		return a, false
	}
	a.Found, a.Role, a.File = found, strings.Join(parts[1:len(parts)-2], "-"), alarmsDir+"/"+name
	return a, true
}

// raise keeps an equivocation that a round has met, and logs it.
func (n *Node) raise(err error) error {
	var e *mirror.Equivocation
	if !errors.As(err, &e) {
		return nil
	}
	known, keepErr := n.keepAlarm(e)
	if !known {
		n.opt.Log.Error("EQUIVOCATION: two different things are signed under one version", "role", e.Role, "version", e.Version, "error", err)
	}
	return keepErr
}

// keepAlarm writes an equivocation down, once. known says that it stood there, or
// that there are so many that one more says nothing.
func (n *Node) keepAlarm(e *mirror.Equivocation) (known bool, err error) {
	all, err := n.Alarms()
	if err != nil {
		return false, err
	}
	for _, a := range all {
		if a.Role == e.Role && a.Version == e.Version {
			return true, nil
		}
	}
	if len(all) >= maxAlarms {
		return true, nil
	}
	if err := n.root.MkdirAll(alarmsDir); err != nil {
		return false, err
	}
	return false, disk.WriteFile(n.root, alarmsDir+"/"+alarmName(e, n.Now()), e.Evidence)
}

// reportAlarms hands what was found to the upstreams, which check it and hand it
// on, up to the centre. What nobody takes is tried again at the next sync.
func (n *Node) reportAlarms(ctx context.Context) {
	all, err := n.Alarms()
	if err != nil {
		return
	}
	for _, a := range all {
		if a.Reported {
			continue
		}
		taken := false
		for _, upstream := range append([]string{n.config.Upstream}, n.config.Upstreams...) {
			base, err := url.Parse(upstream)
			if err != nil || base.Scheme != "http" && base.Scheme != "https" {
				continue
			}
			base.Path = strings.TrimSuffix(strings.TrimSuffix(base.Path, "/"), "/"+repositoryDir)
			if err := n.reportAlarm(ctx, base.JoinPath(api.ReportAddress).String(), a); err != nil {
				n.opt.Log.Warn("an equivocation could not be reported", "file", a.File, "error", err)
				continue
			}
			taken = true
		}
		if taken {
			n.logged("mark an alarm", disk.WriteFile(n.root, a.File+sentSuffix, []byte("\n")))
		}
	}
}

func (n *Node) reportAlarm(ctx context.Context, where string, a portal.Alarm) error {
	evidence, err := disk.ReadFile(n.root, a.File, mirror.MaxEvidence)
	if err != nil {
		return err
	}
	if len(evidence) > 0 { // longer than anybody reads: it is kept here alone
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, where, bytes.NewReader(evidence))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := client().Do(req)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
		if err = errors.Join(err, resp.Body.Close()); err != nil {
			return err
		}
		if resp.StatusCode/100 != 2 {
			return fmt.Errorf("%s answered %s", where, resp.Status)
		}
	}
	return nil
}

// Report takes proof of an equivocation that a node below has met. Anybody may
// send one: it counts for the signatures in it alone.
func (n *Node) Report(_ context.Context, evidence []byte) (known bool, err error) {
	defer named(n.dir, &err)
	e, err := n.mirror.CheckEvidence(evidence)
	if err != nil {
		return false, err
	}
	known, err = n.keepAlarm(e)
	if err == nil && !known {
		n.opt.Log.Error("EQUIVOCATION reported: two different things are signed under one version", "role", e.Role, "version", e.Version)
	}
	return known, err
}

// alarming is what verify says while there are alarms.
func (n *Node) alarming(found func(error)) {
	all, err := n.Alarms()
	if err != nil {
		found(err)
	}
	for _, a := range all {
		found(portal.Unverified(a.File, "two different versions of %s %d carry valid signatures (found %s)", a.Role, a.Version, a.Found.Format(time.DateOnly)).
			WithHint("somebody who holds its key signs different things for different readers: tell the centre, and remove the file when it is settled"))
	}
}

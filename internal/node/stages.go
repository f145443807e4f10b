package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"koprik/embed/local"
	"koprik/internal/disk"
	"koprik/portal"
)

// doingFile says what a sync is doing to whoever asks beside it: the server about
// a command, and a command about the server. Nobody relies on it.
const doingFile = stagingDir + "/doing.json"

// doingLife is how long doingFile is believed: its writer may have been killed.
const doingLife = 15 * time.Second

// stages follow a sync of this process.
type stages struct {
	mu     sync.Mutex
	active bool
	now    portal.SyncNow
	told   time.Time // when doingFile was written last
	past   []portal.StageTook
	since  time.Time // the current stage
}

func (s *stages) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active, s.now, s.past, s.told = true, portal.SyncNow{}, nil, time.Time{}
}

// end closes the last stage.
func (s *stages) end(n *Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.close(n.opt.Clock())
	s.active = false
	_ = n.root.Remove(doingFile) // nobody relies on it
}

func (s *stages) close(now time.Time) {
	if s.now.Stage != "" {
		s.past = append(s.past, portal.StageTook{Stage: s.now.Stage, Millis: now.Sub(s.since).Milliseconds()})
	}
	s.now.Stage = ""
}

// took are the stages until now, the current one among them.
func (s *stages) took(now time.Time) []portal.StageTook {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.close(now)
	return append([]portal.StageTook{}, s.past...)
}

// progress tells the person at the terminal, and those who look at the node's
// page, what is being done.
func (n *Node) progress(stage string, done, total int64) {
	n.opt.Progress(stage, done, total)
	s := &n.syncing
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.active {
		return
	}
	now := n.opt.Clock()
	if portal.Stage(stage) != s.now.Stage {
		s.close(now)
		s.since = now
	}
	s.now = portal.SyncNow{Stage: portal.Stage(stage), Done: done, Total: total, At: now.UTC()}
	const often = time.Second
	if since := now.Sub(s.told); s.told.IsZero() || since >= often || since < 0 {
		s.told = now
		n.tell(s.now)
	}
}

// tell writes doingFile. It need not outlast anything.
func (n *Node) tell(now portal.SyncNow) {
	b, err := json.Marshal(now)
	if err != nil {
		return
	}
	path := filepath.Join(n.dir, filepath.FromSlash(doingFile))
	if os.WriteFile(path+".new", b, 0o600) == nil {
		_ = os.Rename(path+".new", path) // nobody relies on it
	}
}

// doing says what a sync is doing, in this process or in another one.
func (n *Node) doing() *portal.SyncNow {
	n.syncing.mu.Lock()
	now, active := n.syncing.now, n.syncing.active
	n.syncing.mu.Unlock()
	if active && now.Stage != "" {
		return &now
	}
	const limit = 4 << 10
	b, err := disk.ReadFile(n.root, doingFile, limit)
	if err != nil {
		return nil
	}
	var told portal.SyncNow
	if json.Unmarshal(b, &told) != nil || told.Stage == "" {
		return nil
	}
	if age := n.opt.Clock().Sub(told.At); age < -doingLife || age > doingLife {
		return nil
	}
	return &told
}

// detail is what a sync brought, for the log.
func (n *Node) detail(r SyncReport) string {
	d := portal.SyncDone{
		Added: len(r.Added), Updated: len(r.Updated), Removed: len(r.Removed), Owed: len(r.Owed), LeftOut: len(r.LeftOut),
		Bytes: r.BytesDown, Requests: int64(r.Requests), Millis: r.Duration.Milliseconds(), Ways: r.Ways, Stages: r.Stages,
	}
	for _, it := range append(without(r.Plan, r.Owed), r.Fetched...) {
		d.Files++
		d.Contents += it.Resource.Bytes
	}
	b, err := json.Marshal(d)
	if err != nil {
		return ""
	}
	return string(b)
}

// brought reads what detail wrote; nil where the last sync did not succeed.
func brought(r local.SyncRecord) *portal.SyncDone {
	var d portal.SyncDone
	if r.Result != "" || r.Detail == "" || json.Unmarshal([]byte(r.Detail), &d) != nil {
		return nil
	}
	return &d
}

// busy says of a directory that is locked what the sync that holds it is doing.
func (n *Node) busy(err error) error {
	var p *portal.Problem
	now := n.doing()
	if now == nil || !errors.As(err, &p) {
		return err
	}
	p.Message = fmt.Sprintf("a sync is under way in this data directory: %s", now.Stage)
	if now.Total > 0 {
		p.Message += fmt.Sprintf(", %d of %d", now.Done, now.Total)
	}
	p.Hint = "it is shown as soon as it is done; koprik status follows it"
	return p
}

package main

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"koprik/sync/tuf"
)

const (
	maxRoots = 1024 // followed in one run
	maxRoles = 64   // asked for one target
)

// client is one run: a set that begins with what earlier runs trusted.
//
// The suite reads what is trusted from *.json in dir. A timestamp is written
// there as soon as it is verified, and may be ahead of the snapshot beside it;
// so seen/ keeps the last timestamp and snapshot that belong together, from
// which the next run knows how far it has come.
type client struct {
	dir      string
	set      *tuf.Set
	policy   tuf.Policy
	metadata fetch
}

func open(dir string, now time.Time, metadata fetch) (*client, error) {
	root, err := os.ReadFile(filepath.Join(dir, "root.json"))
	if err != nil {
		return nil, err
	}
	set, err := tuf.NewGeneralSet(root, verifyPEM)
	if err != nil {
		return nil, err
	}
	c := &client{dir: dir, set: set, metadata: metadata, policy: tuf.Policy{Now: now, Expire: tuf.ExpireAll}}
	return c, os.MkdirAll(c.file("seen"), 0o700)
}

func (c *client) file(name string) string { return filepath.Join(c.dir, name) }

// quoted is a role's name in a file's name and in an address.
func quoted(role string) string { return strings.ReplaceAll(url.QueryEscape(role), "+", "%20") }

// keep writes a file that was verified, in one step.
func (c *client) keep(name string, b []byte) error {
	if err := os.WriteFile(c.file(name)+".part", b, 0o600); err != nil {
		return err
	}
	return os.Rename(c.file(name)+".part", c.file(name))
}

// remember offers what earlier runs trusted, whatever its age. What doesn't
// verify any more under a newer root counts for nothing.
func (c *client) remember() {
	old := tuf.Policy{Now: c.policy.Now, Expire: tuf.ExpireNothing}
	for _, f := range []struct {
		name   string
		update func([]byte, tuf.Policy) error
	}{
		{"seen/timestamp.json", c.set.UpdateTimestamp},
		{"seen/snapshot.json", c.set.UpdateSnapshot},
		{"timestamp.json", c.set.UpdateTimestamp},
	} {
		if b, err := os.ReadFile(c.file(f.name)); err == nil {
			_ = f.update(b, old)
		}
	}
}

// refresh is the client workflow for root, timestamp, snapshot and targets.
func (c *client) refresh(ctx context.Context) error {
	c.remember()
	if err := c.roots(ctx); err != nil {
		return err
	}
	b, err := c.metadata(ctx, "timestamp.json", int64(tuf.MaxLength("timestamp")))
	if err != nil {
		return err
	}
	switch err := c.set.UpdateTimestamp(b, c.policy); {
	case err == nil:
		if err := c.keep("timestamp.json", b); err != nil {
			return err
		}
	case errors.Is(err, tuf.ErrEquivocation) && c.set.Timestamp() != nil:
		fmt.Fprintln(os.Stderr, "conformance: alarm, the trusted timestamp stays:", err)
	case !errors.Is(err, tuf.ErrUnchanged):
		return err
	}
	if err := c.role(ctx, "snapshot", c.set.Timestamp().Snapshot, c.set.UpdateSnapshot); err != nil {
		return err
	}
	for _, name := range []string{"snapshot.json", "timestamp.json"} {
		b, err := os.ReadFile(c.file(name))
		if err == nil {
			err = c.keep("seen/"+name, b)
		}
		if err != nil {
			return err
		}
	}
	return c.role(ctx, "targets", c.set.Snapshot().Meta["targets.json"], c.set.UpdateTargets)
}

// roots follows the chain of roots. When the keys of timestamp or snapshot
// change, what they signed is deleted.
func (c *client) roots(ctx context.Context) error {
	for range maxRoots {
		had := c.set.Timestamp() != nil
		b, err := c.metadata(ctx, fmt.Sprintf("%d.root.json", c.set.Root().Version+1), int64(tuf.MaxLength("root")))
		if errors.Is(err, errMissing) {
			return nil
		}
		if err == nil {
			err = c.set.UpdateRoot(b)
		}
		if err == nil {
			err = c.keep("root.json", b)
		}
		if err != nil {
			return err
		}
		if !had || c.set.Timestamp() != nil {
			continue
		}
		for _, name := range []string{"timestamp.json", "snapshot.json", "seen/timestamp.json", "seen/snapshot.json"} {
			if err := os.Remove(c.file(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return fmt.Errorf("more than %d new roots", maxRoots)
}

// role takes the file kept from before when it is the one that is named, and
// fetches it otherwise.
func (c *client) role(ctx context.Context, role string, named tuf.File, update func([]byte, tuf.Policy) error) error {
	name := quoted(role) + ".json"
	if b, err := os.ReadFile(c.file(name)); err == nil && update(b, c.policy) == nil {
		return nil
	}
	limit := int64(tuf.MaxLength(role))
	if named.Length > 0 {
		limit = min(limit, named.Length)
	}
	path := name
	if c.set.Root().ConsistentSnapshot {
		path = fmt.Sprintf("%d.%s", named.Version, name)
	}
	b, err := c.metadata(ctx, path, limit)
	if err == nil {
		err = update(b, c.policy)
	}
	if err != nil {
		return err
	}
	return c.keep(name, b)
}

// edge is a delegation on the way to a target.
type edge struct {
	delegator string
	tuf.Delegation
}

// find searches the delegations depth first, in their order; a terminating one
// that matches ends the search beyond its own (TUF 5.6.7).
func (c *client) find(ctx context.Context, name string) (tuf.Target, error) {
	visited := map[string]bool{}
	next := []edge{{Delegation: tuf.Delegation{Name: "targets"}}}
	for len(next) > 0 && len(visited) < maxRoles {
		e := next[0]
		next = next[1:]
		if visited[e.Name] {
			continue
		}
		visited[e.Name] = true
		role := c.set.Targets()
		if e.delegator != "" {
			named := c.set.Snapshot().Meta[e.Name+".json"]
			if named.Version == 0 {
				return tuf.Target{}, fmt.Errorf("role %q is not in snapshot", e.Name)
			}
			err := c.role(ctx, e.Name, named, func(b []byte, p tuf.Policy) error { return c.set.UpdateNested(e.delegator, e.Name, b, p) })
			if err != nil {
				return tuf.Target{}, err
			}
			role = c.set.Delegated(e.Name)
		}
		if t, ok := role.Targets[name]; ok {
			return t, nil
		}
		var below []edge
		for _, d := range role.Roles {
			if !d.Covers(name) {
				continue
			}
			below = append(below, edge{e.Name, d})
			if d.Terminating {
				next = nil
				break
			}
		}
		next = append(below, next...)
	}
	return tuf.Target{}, errors.New("no role lists it")
}

// hash is the hash of a target that counts, in hexadecimal.
func hash(t tuf.Target) string {
	if t.SHA512 != "" {
		return t.SHA512
	}
	return fmt.Sprintf("%x", t.SHA256)
}

func matches(t tuf.Target, b []byte) bool {
	sum := fmt.Sprintf("%x", sha256.Sum256(b))
	if t.SHA512 != "" {
		sum = fmt.Sprintf("%x", sha512.Sum512(b))
	}
	return int64(len(b)) == t.Length && sum == hash(t)
}

// download brings one target into dir, unless it is there.
func (c *client) download(ctx context.Context, name, dir string, files fetch) error {
	t, err := c.find(ctx, name)
	if err != nil {
		return err
	}
	file := filepath.Join(dir, url.QueryEscape(name))
	if b, err := os.ReadFile(file); err == nil && matches(t, b) {
		return nil
	}
	path := name
	if c.set.Root().ConsistentSnapshot {
		folder, base := filepath.Split(name)
		path = folder + hash(t) + "." + base
	}
	b, err := files(ctx, path, t.Length)
	if err != nil {
		return err
	}
	if !matches(t, b) {
		return fmt.Errorf("%s is not what is signed", path)
	}
	if err := os.WriteFile(file+".part", b, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".part", file)
}

package tuf

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// topRoles are those of root, in the order of updates.
var topRoles = []string{"root", "timestamp", "snapshot", "targets"}

// MaxLength bounds a role's file, bytes. A publisher of 45,000 datasets has 8 MB.
func MaxLength(role string) int {
	return [...]int{512 << 10, 16 << 10, 2 << 20, 8 << 20, 8 << 20}[rank(role)]
}

// Role says who signs: Threshold distinct keys of those in KeyIDs.
type Role struct {
	KeyIDs    []string `json:"keyids"`
	Threshold int      `json:"threshold"`
}

// Root is the trust anchor: every key by its id, and the roles "root",
// "timestamp", "snapshot" and "targets".
type Root struct {
	Version            int64           `json:"version"`
	Expires            time.Time       `json:"expires"`
	ConsistentSnapshot bool            `json:"consistent_snapshot"`
	Keys               map[string]Key  `json:"keys"`
	Roles              map[string]Role `json:"roles"`
}

// File states a metadata file: its version, and its length in bytes and its
// SHA-256 unless they are zero, which means not stated.
type File struct {
	Version int64
	Length  int64
	SHA256  [32]byte
}

func fileOf(version int64, b []byte) File { return File{version, int64(len(b)), sha256.Sum256(b)} }

// contradicts says whether two statements of one version cannot both be true.
func (f File) contradicts(o File) bool {
	return f.Version == o.Version &&
		(f.Length != 0 && o.Length != 0 && f.Length != o.Length ||
			f.SHA256 != [32]byte{} && o.SHA256 != [32]byte{} && f.SHA256 != o.SHA256)
}

// Timestamp names the current snapshot. SignedAt is our member "x-signed-at",
// zero when absent.
type Timestamp struct {
	Version  int64     `json:"version"`
	Expires  time.Time `json:"expires"`
	SignedAt time.Time `json:"x-signed-at,omitzero"`
	Snapshot File      `json:"-"`
}

type wireTimestamp struct {
	*Timestamp
	Meta map[string]File `json:"meta"`
}

// Snapshot names the current version of every targets file, by file name:
// "targets.json", "<publisher>.json".
type Snapshot struct {
	Version int64           `json:"version"`
	Expires time.Time       `json:"expires"`
	Meta    map[string]File `json:"meta"`
}

// Target states a file: its length in bytes and its SHA-256. A general Set
// takes SHA-512 for it, in hexadecimal, where SHA-256 isn't stated.
type Target struct {
	Length int64
	SHA256 [32]byte
	SHA512 string
}

// Targets lists files by their path in the repository, and whom it trusts for
// others: delegations in order, and their keys by id.
type Targets struct {
	Version int64             `json:"version"`
	Expires time.Time         `json:"expires"`
	Targets map[string]Target `json:"targets"`
	Keys    map[string]Key    `json:"-"`
	Roles   []Delegation      `json:"-"`
}

type wireTargets struct {
	*Targets
	Delegations *wireDelegations `json:"delegations,omitempty"`
}

type wireDelegations struct {
	Keys  map[string]Key `json:"keys"`
	Roles []Delegation   `json:"roles"`
}

// Delegation trusts a role, named as a publisher's slug, for the paths that
// match one of Paths; in them * and ? stand for anything but a slash. No two
// overlap: a publisher has d/<name>/*/*, another role a top folder for itself.
type Delegation struct {
	Name        string   `json:"name"`
	KeyIDs      []string `json:"keyids"`
	Threshold   int      `json:"threshold"`
	Paths       []string `json:"paths"`
	Terminating bool     `json:"terminating"`
}

// delegation finds none in a role that isn't held.
func (t *Targets) delegation(name string) (Delegation, bool) {
	for i := 0; t != nil && i < len(t.Roles); i++ {
		if t.Roles[i].Name == name {
			return t.Roles[i], true
		}
	}
	return Delegation{}, false
}

// Covers says whether the delegation is for a path.
func (d Delegation) Covers(target string) bool {
	return slices.ContainsFunc(d.Paths, func(pattern string) bool {
		ok, err := path.Match(pattern, target)
		return ok && err == nil
	})
}

// ParseRoot decodes a root file strictly and verifies no signature: for the
// writer that reads back its own. Errors of all Parse functions wrap ErrFormat;
// with one, the value means nothing.
func ParseRoot(b []byte) (r Root, err error) {
	_, err = open(b, "root", &r, nil)
	return r, err
}

// ParseTimestamp is ParseRoot for a timestamp file.
func ParseTimestamp(b []byte) (t Timestamp, err error) {
	_, err = open(b, "timestamp", &wireTimestamp{Timestamp: &t}, nil)
	return t, err
}

// ParseSnapshot is ParseRoot for a snapshot file.
func ParseSnapshot(b []byte) (s Snapshot, err error) {
	_, err = open(b, "snapshot", &s, nil)
	return s, err
}

// ParseTargets is ParseRoot for a targets file, the top one or a publisher's.
func ParseTargets(b []byte) (t Targets, err error) {
	_, err = open(b, "targets", &wireTargets{Targets: &t}, nil)
	return t, err
}

// shape is what a file is decoded into, and checked for a general Set or ours.
type shape interface{ check(general bool) error }

func (r *Root) check(bool) error {
	if len(r.Roles) != len(topRoles) {
		return fmt.Errorf("roles: want %v", topRoles)
	}
	for _, name := range topRoles {
		if err := r.Roles[name].check(r.Keys); err != nil {
			return fmt.Errorf("role %s: %w", name, err)
		}
	}
	return nil
}

func (w *wireTimestamp) check(bool) error {
	if w.Snapshot = w.Meta["snapshot.json"]; w.Snapshot.Version == 0 || len(w.Meta) != 1 {
		return errors.New("meta: want snapshot.json alone")
	}
	return nil
}

func (n *Snapshot) check(general bool) error {
	for name := range n.Meta {
		if role, ok := strings.CutSuffix(name, ".json"); !ok || !isRole(role, general) {
			return fmt.Errorf("meta %.80q: want <role>.json", name)
		}
	}
	if _, ok := n.Meta["targets.json"]; !ok {
		return errors.New("meta lacks targets.json")
	}
	return nil
}

func (w *wireTargets) check(general bool) error {
	if w.Targets.Targets == nil {
		return errors.New("lacks targets")
	}
	for name, t := range w.Targets.Targets {
		if !isPath(name) {
			return fmt.Errorf("path %.120q: want names other than . and .. between single slashes", name)
		}
		if t.SHA256 == [32]byte{} && (len(t.SHA512) != 128 || !general) {
			return fmt.Errorf("path %.120q: lacks SHA-256", name)
		}
	}
	if w.Delegations == nil {
		return nil
	}
	w.Keys, w.Roles = w.Delegations.Keys, w.Delegations.Roles
	return w.Delegations.check(general)
}

func (w *wireDelegations) check(general bool) error {
	if w.Keys == nil || w.Roles == nil {
		return errors.New("delegations lack keys or roles")
	}
	seen, owners := map[string]bool{}, map[string]string{}
	for _, d := range w.Roles {
		if !isRole(d.Name, general) || slices.Contains(topRoles, d.Name) || seen[d.Name] {
			return fmt.Errorf("delegation %.80q: twice, a role of root's, or not 1 to 40 of a-z, 0-9 and -", d.Name)
		}
		seen[d.Name] = true
		if err := (Role{d.KeyIDs, d.Threshold}).check(w.Keys); err != nil {
			return fmt.Errorf("delegation %s: %w", d.Name, err)
		}
		if len(d.Paths) == 0 || !d.Terminating && !general {
			return fmt.Errorf("delegation %s: no paths, or not terminating", d.Name)
		}
		for _, p := range d.Paths {
			top, _, _ := strings.Cut(p, "/")
			shared := top == "d" || strings.ContainsAny(top, "*?") || owners[top] != "" && owners[top] != d.Name
			if !isPath(p) || strings.ContainsAny(p, "[]") || !general && shared && p != "d/"+d.Name+"/*/*" {
				return fmt.Errorf("delegation %s: path %.80q: want d/%s/*/*, or a folder of its own", d.Name, p, d.Name)
			}
			owners[top] = d.Name
		}
	}
	return nil
}

// check compares a role with the keys. A threshold nobody can meet is legal.
func (r Role) check(keys map[string]Key) error {
	seen := map[string]bool{}
	for _, id := range r.KeyIDs {
		k, ok := keys[id]
		if !ok || seen[id] {
			return fmt.Errorf("keyid %.80q: twice, or no such key", id)
		}
		if _, err := k.raw(); err != nil {
			return err
		}
		seen[id] = true
	}
	if r.Threshold < 1 {
		return fmt.Errorf("threshold %d", r.Threshold)
	}
	return nil
}

func isRole(s string, general bool) bool {
	slug := len(s) <= 40 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
	return s != "" && (slug || general)
}

// isPath accepts what can only name a file inside the repository.
func isPath(p string) bool {
	return fs.ValidPath(p) && p != "." && len(p) <= 255 &&
		!strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' })
}

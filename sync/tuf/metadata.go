package tuf

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The longest file that is read for a role, in bytes: what a fetch may ask
// for when no signed length is known. A publisher with 50,000 datasets has
// 9 MB.
const (
	MaxRootLength      = 512 << 10
	MaxTimestampLength = 16 << 10
	MaxSnapshotLength  = 2 << 20
	MaxTargetsLength   = 16 << 20
)

// Role says who signs: Threshold distinct keys of those in KeyIDs.
type Role struct {
	KeyIDs    []string
	Threshold int
}

// Root is the trust anchor: every key by its id, and the roles "root",
// "timestamp", "snapshot" and "targets".
type Root struct {
	Version            int64
	Expires            time.Time
	ConsistentSnapshot bool
	Keys               map[string]Key
	Roles              map[string]Role
}

// File states a metadata file: its version, and its length in bytes and its
// SHA-256 unless they are zero, which means not stated.
type File struct {
	Version int64
	Length  int64
	SHA256  [32]byte
}

// Timestamp names the current snapshot. SignedAt is our member "x-signed-at";
// zero when absent.
type Timestamp struct {
	Version  int64
	Expires  time.Time
	SignedAt time.Time
	Snapshot File
}

// Snapshot names the current version of every targets file, by file name:
// "targets.json", "<publisher>.json".
type Snapshot struct {
	Version int64
	Expires time.Time
	Meta    map[string]File
}

// Target states a file: its length in bytes and its SHA-256.
type Target struct {
	Length int64
	SHA256 [32]byte
}

// Targets lists files by their path in the repository, and whom it trusts for
// others: delegations in order, and their keys by id.
type Targets struct {
	Version int64
	Expires time.Time
	Targets map[string]Target
	Keys    map[string]Key
	Roles   []Delegation
}

// Delegation trusts a role, named as a publisher's slug, for the paths that
// match one of Paths; there * and ? stand for anything but a slash.
type Delegation struct {
	Name        string
	KeyIDs      []string
	Threshold   int
	Paths       []string
	Terminating bool
}

func (d Delegation) covers(target string) bool {
	return slices.ContainsFunc(d.Paths, func(pattern string) bool {
		ok, err := path.Match(pattern, target)
		return ok && err == nil
	})
}

// ParseRoot decodes a root file strictly and verifies no signature: for the
// writer that reads back its own. Like all Parse functions it returns an
// error that wraps ErrFormat.
func ParseRoot(b []byte) (Root, error) {
	e, err := open(b, "root", MaxRootLength)
	if err != nil {
		return Root{}, err
	}
	return e.root()
}

// ParseTimestamp is ParseRoot for a timestamp file.
func ParseTimestamp(b []byte) (Timestamp, error) {
	e, err := open(b, "timestamp", MaxTimestampLength)
	if err != nil {
		return Timestamp{}, err
	}
	return e.timestamp()
}

// ParseSnapshot is ParseRoot for a snapshot file.
func ParseSnapshot(b []byte) (Snapshot, error) {
	e, err := open(b, "snapshot", MaxSnapshotLength)
	if err != nil {
		return Snapshot{}, err
	}
	return e.snapshot()
}

// ParseTargets is ParseRoot for a targets file, the top one or a publisher's.
func ParseTargets(b []byte) (Targets, error) {
	e, err := open(b, "targets", MaxTargetsLength)
	if err != nil {
		return Targets{}, err
	}
	return e.targets()
}

var topRoles = []string{"root", "snapshot", "targets", "timestamp"}

// envelope is a metadata file taken apart: what is signed, as it was read and
// in the bytes that signatures are made over, and the signatures.
type envelope struct {
	signed     fields
	canonical  []byte
	signatures []signature
	version    int64
	expires    time.Time
}

type signature struct {
	keyID string
	sig   []byte
}

// open decodes the parts that all roles share. kind is the wanted "_type".
func open(b []byte, kind string, limit int) (*envelope, error) {
	if len(b) > limit {
		return nil, fmt.Errorf("%w: %s: %d bytes, more than %d", ErrFormat, kind, len(b), limit)
	}
	v, err := parseJSON(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	r := &reader{}
	file := r.object(v, kind, "signatures", "signed")
	e := &envelope{signatures: file.signatures()}
	e.signed = r.object(file.need("signed"), kind, "_type", "spec_version", "version", "expires", "x-signed-at",
		"consistent_snapshot", "keys", "roles", "meta", "targets", "delegations")
	if t := e.signed.text("_type"); t != kind {
		r.fail(kind, "_type is %.40q", t)
	}
	if s := e.signed.text("spec_version"); !specVersion1(s) {
		r.fail(kind, "spec_version %.40q: want 1.x", s)
	}
	e.version = e.signed.integer("version", 1)
	e.expires = e.signed.time("expires")
	if r.err == nil {
		e.canonical, r.err = e.signed.appendCanonical(nil)
	}
	return e, r.err
}

func (f fields) signatures() []signature {
	var sigs []signature
	seen := map[string]bool{}
	for _, m := range f.list("signatures") {
		s := f.r.object(m.value, f.where+" signature", "keyid", "sig")
		id := s.text("keyid")
		sig, err := lowerHex(s.text("sig"))
		if err != nil {
			f.r.fail(f.where, "signature of %.80q: %v", id, err)
		}
		if seen[id] {
			f.r.fail(f.where, "two signatures of %.80q", id)
		}
		seen[id] = true
		sigs = append(sigs, signature{id, sig})
	}
	return sigs
}

// specVersion1 accepts 1.x and 1.x.y.
func specVersion1(s string) bool {
	parts := strings.Split(s, ".")
	for _, p := range parts {
		if _, err := strconv.ParseUint(p, 10, 31); err != nil {
			return false
		}
	}
	return parts[0] == "1" && (len(parts) == 2 || len(parts) == 3)
}

func (e *envelope) root() (Root, error) {
	f := e.signed
	root := Root{Version: e.version, Expires: e.expires, Keys: f.keys("keys"), Roles: map[string]Role{}}
	root.ConsistentSnapshot = f.bool("consistent_snapshot")
	roles := f.r.object(f.need("roles"), "root roles", topRoles...)
	for _, m := range roles.members {
		if !slices.Contains(topRoles, m.name) {
			f.r.fail("root", "role %.80q is not one of %v", m.name, topRoles)
		}
	}
	for _, name := range topRoles {
		role := f.r.object(roles.need(name), "root role "+name, "keyids", "threshold")
		root.Roles[name] = role.role(root.Keys)
	}
	return root, f.r.err
}

func (e *envelope) timestamp() (Timestamp, error) {
	f := e.signed
	t := Timestamp{Version: e.version, Expires: e.expires}
	if _, ok := f.get("x-signed-at"); ok {
		t.SignedAt = f.time("x-signed-at")
	}
	meta := f.r.object(f.need("meta"), "timestamp meta", "snapshot.json")
	if len(meta.members) != 1 {
		f.r.fail("timestamp", "meta names %d files: want snapshot.json alone", len(meta.members))
	}
	t.Snapshot = f.r.file(meta.need("snapshot.json"), "timestamp snapshot.json")
	return t, f.r.err
}

func (e *envelope) snapshot() (Snapshot, error) {
	f := e.signed
	s := Snapshot{Version: e.version, Expires: e.expires, Meta: map[string]File{}}
	for _, m := range f.r.object(f.need("meta"), "snapshot meta", "targets.json").members {
		if name, ok := strings.CutSuffix(m.name, ".json"); !ok || !isSlug(name) {
			f.r.fail("snapshot", "meta names %.80q: want <role>.json", m.name)
		}
		s.Meta[m.name] = f.r.file(m.value, "snapshot "+m.name)
	}
	if _, ok := s.Meta["targets.json"]; !ok {
		f.r.fail("snapshot", "meta lacks targets.json")
	}
	return s, f.r.err
}

func (e *envelope) targets() (Targets, error) {
	f := e.signed
	listed := f.r.object(f.need("targets"), "targets").members
	t := Targets{Version: e.version, Expires: e.expires, Targets: make(map[string]Target, len(listed))}
	for _, m := range listed {
		if !isTargetPath(m.name) {
			f.r.fail("targets", "path %.120q: want segments of printable characters between single slashes, none . or ..", m.name)
		}
		target := f.r.object(m.value, m.name, "length", "hashes", "custom")
		t.Targets[m.name] = Target{Length: target.integer("length", 0), SHA256: target.sha256()}
		if f.r.err != nil {
			break
		}
	}
	if v, ok := f.get("delegations"); ok {
		t.Keys, t.Roles = f.r.object(v, "delegations", "keys", "roles", "succinct_roles").delegations()
	}
	return t, f.r.err
}

func (f fields) delegations() (map[string]Key, []Delegation) {
	keys, names := f.keys("keys"), map[string]bool{}
	if _, ok := f.get("succinct_roles"); ok {
		f.r.fail(f.where, "succinct_roles: delegations here are by paths")
	}
	var roles []Delegation
	for _, m := range f.list("roles") {
		r := f.r.object(m.value, "delegation", "name", "keyids", "threshold", "paths", "path_hash_prefixes", "terminating")
		d := Delegation{Name: r.text("name"), Terminating: r.bool("terminating")}
		r.where = "delegation " + d.Name
		if !isSlug(d.Name) || slices.Contains(topRoles, d.Name) {
			f.r.fail(f.where, "role %.80q: want 1 to 40 of a-z, 0-9 and -, and no role of root's", d.Name)
		}
		if names[d.Name] {
			f.r.fail(f.where, "role %s twice", d.Name)
		}
		names[d.Name] = true
		if _, ok := r.get("path_hash_prefixes"); ok {
			f.r.fail(r.where, "path_hash_prefixes: delegations here are by paths")
		}
		for _, p := range r.list("paths") {
			if p.kind != kindString || strings.ContainsAny(p.text, `[]\`) || !isTargetPath(p.text) {
				f.r.fail(r.where, "path %.120q: want a path, in which * and ? are the only wildcards", p.text)
			}
			d.Paths = append(d.Paths, p.text)
		}
		role := r.role(keys)
		d.KeyIDs, d.Threshold = role.KeyIDs, role.Threshold
		roles = append(roles, d)
	}
	return keys, roles
}

func isSlug(s string) bool {
	return 1 <= len(s) && len(s) <= 40 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// isTargetPath accepts what can only ever name a file inside the repository.
func isTargetPath(p string) bool {
	if len(p) > 255 || strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
		return false
	}
	for s := range strings.SplitSeq(p, "/") {
		if s == "" || s == "." || s == ".." {
			return false
		}
	}
	return true
}

package mirror

import (
	"errors"
	"fmt"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/carrier"
	"koprik/sync/tuf"
)

// accepted is verified metadata, from trust/ or on its way into it. Of publishers'
// roles it holds verdicts; what they list is read when it is needed, one role at
// a time: a country has a hundred thousand datasets.
type accepted struct {
	m   *Mirror
	set *tuf.Set
	id  portal.Digest // SHA-256 of 1.root.json; zero when trust began later
	// suspended are publishers whose role did not verify: the older role that
	// was accepted before stands. nil: there is none.
	suspended map[portal.PublisherID]*tuf.Targets
	vets      map[portal.PublisherID]vet
	raw       map[string][]byte // files new in this round, by name in trust/
	refused   map[string][]byte // roles of suspended publishers as they were published: only ever passed on
	damaged   []string          // files of trust/ that are not what was accepted
	anchor    int64             // the root that the chain begins with
	mended    map[string][]byte // roots that were damaged, and were found elsewhere

	last   portal.PublisherID // whose role was read last
	listed *tuf.Targets       // what it lists
}

func (m *Mirror) newAccepted() *accepted {
	return &accepted{
		m: m, suspended: map[portal.PublisherID]*tuf.Targets{}, vets: map[portal.PublisherID]vet{},
		raw: map[string][]byte{}, refused: map[string][]byte{}, mended: map[string][]byte{},
	}
}

func (a *accepted) state(media bool) portal.CopyState {
	s := portal.CopyState{Repository: a.id}
	if ts := a.set.Timestamp(); ts != nil {
		s.AsOf, s.Expires, s.Media = ts.SignedAt, ts.Expires, media
	}
	if snap := a.set.Snapshot(); snap != nil {
		s.Generation = snap.Version
	}
	return s
}

// role gives the role of a publisher that counts: verified now, or held from
// before. nil: it has none yet.
func (a *accepted) role(p portal.PublisherID) (*tuf.Targets, error) {
	if t, ok := a.suspended[p]; ok {
		return t, nil
	}
	v, ok := a.vets[p]
	if !ok {
		return nil, nil
	}
	if a.last == p {
		return a.listed, nil
	}
	name := carrier.MetadataName(string(p), v.File.Version)
	b, ok := a.raw[name]
	if !ok {
		var err error
		if b, err = disk.ReadFile(a.m.o.Trust, name, maxMetadata); err != nil {
			return nil, err
		}
	}
	if fileOf(v.File.Version, b).SHA256 != v.File.SHA256 {
		return nil, portal.Unverified("trust/"+name, "is not what was accepted").WithHint("the next sync brings it again")
	}
	t, err := tuf.ParseTargets(b)
	if err != nil {
		return nil, fmt.Errorf("trust/%s: %w", name, err)
	}
	a.last, a.listed = p, &t
	return &t, nil
}

// signers are the keys that verified a publisher's role; none when it has none
// that holds.
func (a *accepted) signers(p portal.PublisherID) []string { return a.vets[p].Signers }

// updateRole offers a publisher's role. One that lists what is no release, or
// two releases of a dataset, is as good as one that does not verify.
func (a *accepted) updateRole(id portal.PublisherID, b []byte, p tuf.Policy) error {
	if err := a.set.UpdateDelegated(string(id), b, p); err != nil {
		return err
	}
	t := a.set.Delegated(string(id))
	a.set.Forget(string(id))
	if err := newListing().add(id, t); err != nil {
		return fmt.Errorf("%w: %w", tuf.ErrFormat, err)
	}
	a.last, a.listed = id, t
	a.vets[id] = vet{File: fileOf(t.Version, b), By: a.delegation(id), Signers: a.set.Signers(string(id)), Expires: t.Expires}
	return nil
}

func (a *accepted) publishers() []portal.PublisherID {
	t := a.set.Targets()
	if t == nil {
		return nil
	}
	ids := make([]portal.PublisherID, 0, len(t.Roles))
	for _, d := range t.Roles {
		ids = append(ids, portal.PublisherID(d.Name))
	}
	return ids
}

// loadRole takes a publisher's role from trust/. One that is missing or does
// not verify there was suspended when it came: the newest older one stands.
func (m *Mirror) loadRole(a *accepted, id portal.PublisherID, p tuf.Policy, vets map[portal.PublisherID]vet) {
	stated := a.set.Snapshot().Meta[string(id)+".json"]
	name := carrier.MetadataName(string(id), stated.Version)
	if b, err := disk.ReadFile(m.o.Trust, name, maxMetadata); err == nil {
		if v := vets[id]; v.File == fileOf(stated.Version, b) && v.holds(a, id, p) {
			a.vets[id] = v
			return
		}
		err := a.updateRole(id, b, p)
		if err == nil {
			return
		}
		if errors.Is(err, tuf.ErrMismatch) {
			a.damaged = append(a.damaged, name)
		}
	}
	if held := m.heldRole(id); held != nil {
		a.suspended[id] = held
	}
}

// heldRole is the newest role of a publisher in trust/ that can be read: it was
// verified when it was accepted. nil when there is none.
func (m *Mirror) heldRole(id portal.PublisherID) *tuf.Targets {
	for _, v := range versionsOf(m.o.Trust, string(id)) {
		b, err := disk.ReadFile(m.o.Trust, carrier.MetadataName(string(id), v), maxMetadata)
		if err != nil {
			continue
		}
		if t, err := tuf.ParseTargets(b); err == nil {
			return &t
		}
	}
	return nil
}

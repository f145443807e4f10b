package mirror

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"koprik/internal/disk"
	"koprik/portal"
	"koprik/sync/tuf"
)

// vet is what the verifier said of a publisher's role: that this file holds under
// this delegation. It stands in trust/ beside the roles themselves, so that a
// round over a hundred thousand datasets reads the roles that changed and no
// other. It is believed of exactly these bytes under exactly these keys; without
// it, or where one of the two differs, the role is verified again.
type vet struct {
	File    tuf.File // as the snapshot states it
	By      portal.Digest
	Signers []string
	Expires time.Time
}

// holds tells whether the verdict is that of the role which a's snapshot and
// targets ask for, and what the policy says of its expiry.
func (v vet) holds(a *accepted, id portal.PublisherID, p tuf.Policy) bool {
	stated := a.set.Snapshot().Meta[string(id)+".json"]
	fresh := p.Expire&tuf.ExpireDelegated == 0 || p.Now.Before(v.Expires)
	return fresh && len(v.Signers) > 0 && v.File.Version == stated.Version && v.File.SHA256 == stated.SHA256 && v.By == a.delegation(id)
}

// delegation names who has to sign for a publisher: keys, threshold and paths.
func (a *accepted) delegation(id portal.PublisherID) portal.Digest {
	t := a.set.Targets()
	for _, d := range t.Roles {
		if d.Name != string(id) {
			continue
		}
		keys := make([]tuf.Key, len(d.KeyIDs))
		for i, k := range d.KeyIDs {
			keys[i] = t.Keys[k]
		}
		b, err := json.Marshal(struct {
			D tuf.Delegation
			K []tuf.Key
		}{d, keys})
		if err == nil {
			return portal.DigestOf(b)
		}
	}
	return portal.Digest{}
}

// vetsFile has no ".json": it is nobody else's business, and not passed on.
const vetsFile = "vetted"

// maxVets bounds it, bytes: 60,000 publishers.
const maxVets = 16 << 20

// readVets reads what writeVets wrote; what is torn says nothing.
func (m *Mirror) readVets() (vets map[portal.PublisherID]vet) {
	b, err := disk.ReadFile(m.o.Trust, vetsFile, maxVets)
	if err != nil {
		return nil
	}
	sum, rest, _ := bytes.Cut(b, []byte("\n"))
	if string(sum) != portal.DigestOf(rest).Hex() || json.Unmarshal(rest, &vets) != nil {
		return nil
	}
	return vets
}

// writeVets remembers the verdicts of a copy that was accepted. Whatever points at
// other bytes says nothing, so that nothing depends on when it is written.
func (m *Mirror) writeVets(a *accepted) error {
	b, err := json.Marshal(a.vets)
	if err != nil {
		return err
	}
	b = fmt.Appendf(nil, "%s\n%s", portal.DigestOf(b).Hex(), b)
	if held, err := disk.ReadFile(m.o.Trust, vetsFile, maxVets); err == nil && bytes.Equal(held, b) {
		return nil
	}
	return disk.WriteFile(m.o.Trust, vetsFile, b)
}

package mirror

import "koprik/portal"

// Vetted tells of which publishers the accepted role is verified again when trust/
// is read, and of which a verdict is believed.
func (m *Mirror) Vetted() (again, believed []portal.PublisherID, err error) {
	a, err := m.load()
	if err != nil {
		return nil, nil, err
	}
	for _, p := range a.publishers() {
		switch {
		case len(a.set.Signers(string(p))) > 0:
			again = append(again, p)
		case len(a.signers(p)) > 0:
			believed = append(believed, p)
		}
	}
	return again, believed, nil
}

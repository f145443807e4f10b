package post

import (
	"fmt"
	"slices"
	"strings"

	"koprik/portal"
	"koprik/portal/datapackage"
)

// ShowcasePath is the target of all public reuses and their cohorts.
const ShowcasePath = "talkback/reuses"

// EncodeShowcase writes the public reuses. Where they are too many for one file, the
// ones of which nobody has said anything for the longest time leave it first; left
// is how many did.
func EncodeShowcase(s portal.Showcase) (b []byte, left int, err error) {
	type sized struct{ at, bytes int }
	cohorts, err := encode(s.Cohorts)
	if err != nil {
		return nil, 0, err
	}
	const frame = 64 // names and brackets around the two lists
	total := frame + len(cohorts)
	all := make([]sized, len(s.Reuses))
	for i, r := range s.Reuses {
		one, err := encode(r)
		if err != nil {
			return nil, 0, err
		}
		all[i] = sized{i, len(one) + 1}
		total += len(one) + 1
	}
	slices.SortStableFunc(all, func(a, b sized) int {
		return strings.Compare(string(s.Reuses[a.at].CheckedIn()), string(s.Reuses[b.at].CheckedIn()))
	})
	gone := map[int]bool{}
	for _, one := range all {
		if total <= datapackage.MaxSide {
			break
		}
		gone[one.at] = true
		total -= one.bytes
	}
	kept := portal.Showcase{Cohorts: s.Cohorts, Reuses: []portal.Reuse{}}
	for i, r := range s.Reuses {
		if !gone[i] {
			kept.Reuses = append(kept.Reuses, r)
		}
	}
	b, err = encode(kept)
	return b, len(gone), err
}

// DecodeShowcase reads what EncodeShowcase writes. A link that no page may lead to
// is an error, whoever signed it.
func DecodeShowcase(b []byte) (portal.Showcase, error) {
	var s portal.Showcase
	if err := decode(b, &s); err != nil {
		return s, fmt.Errorf("reuses: %w", err)
	}
	for _, c := range s.Cohorts {
		if err := c.Validate(); err != nil {
			return portal.Showcase{}, fmt.Errorf("reuses: %w", err)
		}
	}
	for _, r := range s.Reuses {
		if err := checkReuse(r); err != nil {
			return portal.Showcase{}, fmt.Errorf("reuse %s: %w", r.ID, err)
		}
	}
	return s, nil
}

// checkReuse holds a reuse that was signed to what pages rely on.
func checkReuse(r portal.Reuse) error {
	d := r.ReuseDetails
	d.Consent = true
	if err := d.Validate(); err != nil {
		return err
	}
	if len(r.Lived) == 0 {
		return portal.Rejected("lived", "must not be empty")
	}
	for _, l := range r.Lived {
		if !slices.Contains(portal.ReuseStates, l.State) {
			return portal.Rejected("state", "%.40q: must be alive, sleeping or adopter", l.State)
		}
		for _, day := range []portal.Date{l.From, l.Until} {
			if _, err := portal.ParseDate(string(day)); err != nil {
				return err
			}
		}
	}
	return nil
}

// EncodeCohorts writes cohorts as the centre keeps them.
func EncodeCohorts(list []portal.Cohort) ([]byte, error) { return encode(list) }

// DecodeCohorts reads what EncodeCohorts writes.
func DecodeCohorts(b []byte) (list []portal.Cohort, err error) {
	if err := decode(b, &list); err != nil {
		return nil, fmt.Errorf("cohorts: %w", err)
	}
	return list, nil
}

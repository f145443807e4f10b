package tuf

import "testing"

func TestWhatIsForgottenIsStillKnownBySignerAndFile(t *testing.T) {
	n := newNation(t, 2, 6)
	s, err := NewSet(n.root)
	if err == nil {
		err = s.UpdateTimestamp(n.timestamp, before)
	}
	if err == nil {
		err = s.UpdateSnapshot(n.snapshot, before)
	}
	if err == nil {
		err = s.UpdateTargets(n.targets, before)
	}
	if err == nil {
		err = s.UpdateDelegated("agency-0", n.publishers["agency-0"], before)
	}
	if err != nil {
		t.Fatal(err)
	}
	by := s.Signers("agency-0")
	s.Forget("agency-0")
	s.Forget("agency-1") // never was there
	if s.Delegated("agency-0") != nil || s.Delegated("agency-1") != nil {
		t.Error("what was forgotten is given")
	}
	if len(by) != 1 || len(s.Signers("agency-0")) != 1 || s.Signers("agency-0")[0] != by[0] || len(s.Signers("agency-1")) != 0 {
		t.Errorf("signed by %v, was %v", s.Signers("agency-0"), by)
	}
	if err := s.UpdateDelegated("agency-0", n.publishers["agency-1"], before); err == nil {
		t.Error("another file is taken in the place of what was forgotten")
	}
	if err := s.UpdateDelegated("agency-0", n.publishers["agency-0"], before); err != nil {
		t.Error(err)
	}
}

package portal

import (
	"errors"
	"fmt"
	"testing"
)

func TestEverySentinelHasACodeOfItsOwn(t *testing.T) {
	sentinels := []error{
		ErrUsage, ErrUnverified, ErrUnreachable, ErrLocked, ErrNoSpace, ErrPartly,
		ErrRejected, ErrNotFound, ErrGone, ErrNotHeld, ErrExpired, ErrTooMuch,
	}
	seen := map[string]error{}
	for _, s := range sentinels {
		code := Code(fmt.Errorf("open dataset water: %w", s))
		if code == "internal" || code == "" {
			t.Errorf("%v: code %q", s, code)
		}
		if before, ok := seen[code]; ok {
			t.Errorf("%v and %v share the code %q", before, s, code)
		}
		seen[code] = s
	}
	if len(codes) != len(sentinels) {
		t.Errorf("%d codes for %d sentinels", len(codes), len(sentinels))
	}
}

func TestCodeOfAnUnknownErrorIsInternal(t *testing.T) {
	if got := Code(errors.New("a broken pipe")); got != "internal" {
		t.Errorf("code %q", got)
	}
	if got := Code(nil); got != "" {
		t.Errorf("code of no error %q", got)
	}
	if got := Code(Rejected("row 3", "no number")); got != "rejected" {
		t.Errorf("code of a problem %q", got)
	}
}

package portal

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestEverySentinelHasACodeOfItsOwn(t *testing.T) {
	seen := map[string]error{}
	for _, c := range codes {
		if got := Code(fmt.Errorf("open dataset water: %w", c.kind)); got != c.name {
			t.Errorf("%v: code %q, want %q", c.kind, got, c.name)
		}
		if before, ok := seen[c.name]; ok {
			t.Errorf("%v and %v share the code %q", before, c.kind, c.name)
		}
		seen[c.name] = c.kind
	}
	source, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	sentinels := regexp.MustCompile(`(?m)^\tErr\w+ +=`).FindAll(source, -1)
	if len(sentinels) != len(codes) {
		t.Errorf("errors.go has %d sentinels, codes names %d: add the new one", len(sentinels), len(codes))
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

func TestTheReferenceListsEveryCode(t *testing.T) {
	page, err := os.ReadFile("../docs/reference/exit-codes.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range codes {
		if !strings.Contains(string(page), "| `"+c.name+"` |") {
			t.Errorf("docs/reference/exit-codes.md has no line for %s", c.name)
		}
	}
}

package portal

import (
	"strings"
	"testing"
)

func TestEveryWordOfTheListIsItsOwn(t *testing.T) {
	seen := map[string]int{}
	for i := range 2048 {
		w := Word(i)
		if other, twice := seen[w]; twice || len(w) != 5 {
			t.Fatalf("words %d and %d are both %q", other, i, w)
		}
		seen[w] = i
	}
}

func TestSixWordsAreTheFirst66BitsOfTheKeyID(t *testing.T) {
	zero := strings.Repeat("0", 64)
	if got := SixWords(zero); got != "baban baban baban baban baban baban" {
		t.Errorf("zero: %q", got)
	}
	for _, c := range []struct {
		what, id string
		same     bool
	}{
		{"the last of 66 bits", zero[:16] + "40" + zero[18:], false},
		{"the 67th bit", zero[:16] + "20" + zero[18:], true},
		{"the first bit", "8" + zero[1:], false},
	} {
		if got := SixWords(c.id) == SixWords(zero); got != c.same {
			t.Errorf("%s: the same words: %v, want %v", c.what, got, c.same)
		}
	}
	if got := SixWords("ffffffffffffffffff" + zero[18:]); got != strings.TrimSuffix(strings.Repeat("zuzur ", 6), " ") {
		t.Errorf("ones: %q", got)
	}
}

func TestWhatIsNoKeyIDHasNoWords(t *testing.T) {
	for _, id := range []string{"", "zz", "00", strings.Repeat("0", 63), strings.Repeat("0", 66)} {
		if got := SixWords(id); got != "" {
			t.Errorf("%q: %q", id, got)
		}
		if CheckWords(id, "") == nil {
			t.Errorf("%q is confirmed by no words", id)
		}
	}
}

func TestWordsAreComparedAsTheyAreReadAloud(t *testing.T) {
	id := strings.Repeat("5c", 32)
	if err := CheckWords(id, "  "+strings.ToUpper(SixWords(id))+"\n"); err != nil {
		t.Error(err)
	}
	if err := CheckWords(id, SixWords(strings.Repeat("5d", 32))); err == nil {
		t.Error("another key's words are taken")
	}
}

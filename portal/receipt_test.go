package portal_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"koprik/portal"
)

func randomCode(r *rand.Rand) portal.ReceiptCode {
	var b [portal.ReceiptRandom]byte
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return portal.NewReceiptCode(b)
}

func TestTheExampleOfTheSpecificationIsACode(t *testing.T) {
	c, err := portal.ParseReceiptCode("ZFFV1-J5AXG-S5MFW-W6PWF")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Norm(); got != "ZFFV1J5AXGS5MFWW6PWF" {
		t.Errorf("norm is %s", got)
	}
}

// TestEveryWrongSymbolAndEverySwapOfNeighboursIsCaught tries every swap of two
// neighbours in 100,000 codes, and a wrong symbol at each place in each of them; with
// KOPRIK_SOAK every wrong symbol at every place.
func TestEveryWrongSymbolAndEverySwapOfNeighboursIsCaught(t *testing.T) {
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	codes := 2_000
	if !testing.Short() {
		codes = 100_000
	}
	every := os.Getenv("KOPRIK_SOAK") != ""
	const seed = 20261123
	t.Logf("seed %d, %d codes", seed, codes)
	r := rand.New(rand.NewPCG(seed, 1))
	substitutions, swaps := 0, 0
	for range codes {
		code := []byte(randomCode(r).Norm())
		refused := func(what string, at int) {
			if _, err := portal.ParseReceiptCode(string(code)); !errors.Is(err, portal.ErrRejected) {
				t.Fatalf("%s at %d was taken: %s", what, at, code)
			}
		}
		for at, was := range code {
			others := alphabet
			if !every {
				k := r.IntN(len(alphabet))
				others = alphabet[k : k+1]
			}
			for _, other := range []byte(others) {
				if other != was {
					code[at] = other
					refused("substitution", at)
					substitutions++
				}
			}
			code[at] = was
		}
		for i := range len(code) - 1 {
			if code[i] == code[i+1] {
				continue
			}
			code[i], code[i+1] = code[i+1], code[i]
			refused("swap", i)
			code[i], code[i+1] = code[i+1], code[i]
			swaps++
		}
	}
	t.Logf("caught %d substitutions and %d swaps", substitutions, swaps)
}

// One code, every place and every other symbol: nothing is left to chance.
func TestEverySubstitutionOfOneCodeIsCaught(t *testing.T) {
	code := "ZFFV1J5AXGS5MFWW6PWF"
	for i := range code {
		for _, s := range "0123456789ABCDEFGHJKMNPQRSTVWXYZ" {
			if byte(s) == code[i] {
				continue
			}
			wrong := code[:i] + string(s) + code[i+1:]
			if _, err := portal.ParseReceiptCode(wrong); err == nil {
				t.Errorf("%s was taken", wrong)
			}
		}
	}
}

func TestACodeIsReadHoweverItIsTyped(t *testing.T) {
	want := mustCode(t, codeWith(t, "ABCEHKMPTX010110000"))
	norm := want.Norm()
	cyrillic := strings.NewReplacer("A", "А", "B", "В", "C", "С", "E", "Е", "H", "Н", "K", "К", "M", "М", "P", "Р", "T", "Т", "X", "Х", "0", "О").Replace(norm)
	for _, typed := range []string{
		norm, strings.ToLower(norm), want.Reveal(), strings.ReplaceAll(want.Reveal(), "-", " "), " " + want.Reveal() + "\n",
		strings.ReplaceAll(norm, "0", "O"), strings.ReplaceAll(norm, "0", "o"), strings.ReplaceAll(norm, "1", "I"), strings.ReplaceAll(norm, "1", "l"),
		cyrillic, strings.ToLower(cyrillic), strings.ReplaceAll(want.Reveal(), "-", "–"),
	} {
		got, err := portal.ParseReceiptCode(typed)
		if err != nil || got != want {
			t.Errorf("%q: %v, %s", typed, err, got.Reveal())
		}
	}
}

// codeWith completes 19 symbols by trying every check symbol: exactly one holds.
func codeWith(t *testing.T, symbols string) string {
	t.Helper()
	var found []string
	for _, s := range "0123456789ABCDEFGHJKMNPQRSTVWXYZ" {
		if _, err := portal.ParseReceiptCode(symbols + string(s)); err == nil {
			found = append(found, symbols+string(s))
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d check symbols fit %s", len(found), symbols)
	}
	return found[0]
}

func mustCode(t *testing.T, s string) portal.ReceiptCode {
	t.Helper()
	c, err := portal.ParseReceiptCode(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWhatIsNoCodeIsRefusedWithoutRepeatingIt(t *testing.T) {
	for _, s := range []string{"", "-", "ZFFV1", "ZFFV1-J5AXG-S5MFW-W6PWFF", "UFFV1-J5AXG-S5MFW-W6PWF", "ZFFV1-J5AXG-S5MFW-W6PWЖ", "ZFFV1-J5AXG-S5MFW-W6PWG", strings.Repeat("A", 1<<20), "\xff\xfe"} {
		_, err := portal.ParseReceiptCode(s)
		if !errors.Is(err, portal.ErrRejected) {
			t.Errorf("%.30q: %v", s, err)
		}
		if len(s) > 5 && err != nil && strings.Contains(err.Error(), s[:5]) {
			t.Errorf("the error repeats the code: %v", err)
		}
	}
}

func TestACodeDoesNotGetIntoLogsOrFiles(t *testing.T) {
	c := mustCode(t, "ZFFV1-J5AXG-S5MFW-W6PWF")
	for _, format := range []string{"%v", "%s", "%+v", "%#v", "%x", "%q", "%d"} {
		if got := fmt.Sprintf(format, c); got != "(receipt code)" {
			t.Errorf("%s gives %s", format, got)
		}
	}
	if b, err := json.Marshal(c); err == nil {
		t.Errorf("marshals to %s", b)
	}
}

func TestACodeHas95BitsAndEveryBitCounts(t *testing.T) {
	seen := map[string]bool{portal.NewReceiptCode([12]byte{}).Norm(): true}
	for bit := 1; bit < 96; bit++ {
		var b [portal.ReceiptRandom]byte
		b[bit/8] = 1 << (7 - bit%8)
		seen[portal.NewReceiptCode(b).Norm()] = true
	}
	if len(seen) != 96 {
		t.Errorf("95 bits and none give %d codes", len(seen))
	}
}

func FuzzParseReceiptCode(f *testing.F) {
	for _, s := range []string{"ZFFV1-J5AXG-S5MFW-W6PWF", "", "оОlI", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := portal.ParseReceiptCode(s)
		if err != nil {
			return
		}
		again, err := portal.ParseReceiptCode(c.Reveal())
		if err != nil || again != c {
			t.Fatalf("%q: its own spelling gives %v", s, err)
		}
	})
}

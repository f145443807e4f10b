package chart

import (
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestTicksAreRoundAndHoldAllValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lo, hi := rapid.Float64Range(-1e12, 1e12).Draw(t, "lo"), rapid.Float64Range(-1e12, 1e12).Draw(t, "hi")
		if lo > hi {
			lo, hi = hi, lo
		}
		s := newScale(lo, hi, rapid.Bool().Draw(t, "zero"), 4, 0, 100)
		if near := (hi - lo) * 1e-6; s.lo > lo+near || s.hi < hi-near || len(s.ticks) < 2 || len(s.ticks) > 12 {
			t.Fatalf("%g to %g: %+v", lo, hi, s)
		}
	})
	if s := newScale(0, 4.2, true, 4, 0, 100); !slices.Equal(s.ticks, []float64{0, 2, 4, 6}) && !slices.Equal(s.ticks, []float64{0, 1, 2, 3, 4, 5}) {
		t.Errorf("ticks %v", s.ticks)
	}
}

func TestLabelsThatAreMovedApartStayInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.SliceOfN(rapid.Float64Range(0, 200), 1, 6).Draw(t, "at")
		slices.Sort(at)
		spread(at, 20, 0, 200)
		for i := range at {
			if at[i] > 200.001 || i > 0 && at[i]-at[i-1] < 19.999 {
				t.Fatalf("%v", at)
			}
		}
	})
}

func TestATextFitsWhereItWasCut(t *testing.T) {
	letters := lettering{size: 13}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		width := rapid.Float64Range(20, 300).Draw(t, "width")
		rows := letters.wrap(s, width, 2)
		if len(rows) > 2 {
			t.Fatalf("%d rows", len(rows))
		}
		for _, row := range rows {
			if letters.width(row) > width+.02 {
				t.Fatalf("%q is wider than %g", row, width)
			}
		}
	})
	if got := letters.wrap("Qoraqalpogʻiston Respublikasi", 130, 2); !slices.Equal(got, []string{"Qoraqalpogʻiston", "Respublikasi"}) {
		t.Errorf("%q", got)
	}
}

// Of the fonts that browsers fall back to this is the widest in common use.
func TestLettersAreTakenToBeAsWideAsTheyAreInDejaVuSans(t *testing.T) {
	for name, bold := range map[string]bool{"DejaVuSans.ttf": false, "DejaVuSans-Bold.ttf": true} {
		data, err := os.ReadFile("/usr/share/fonts/truetype/dejavu/" + name)
		if err != nil {
			t.Skip("no DejaVu Sans on this machine to compare with: ", err)
		}
		f, l := newFace(data), lettering{1, bold}
		groups := regularWidths
		if bold {
			groups = boldWidths
		}
		for _, g := range groups {
			for _, r := range g.letters {
				if is, taken := f.width(string(r), 1), l.width(string(r)); taken < is-1e-9 || taken > is+.021 {
					t.Errorf("%s: %q is %.3f ems wide, taken to be %.3f", name, r, is, taken)
				}
			}
		}
		for _, r := range "AZaz09oʻgʻʼÁáǴǵÍıŃńÓóÚúЎўҚқҒғҲҳЁёЙйЪъШщЮюЯя№–—·…«»“”%()/+ \u00a0\u202f" {
			if is, taken := f.width(string(r), 1), l.width(string(r)); taken < is-1e-9 || taken > is+.061 {
				t.Errorf("%s: %q is %.3f ems wide, taken to be %.3f", name, r, is, taken)
			}
		}
	}
}

// luminance and contrast are those of WCAG 2.2.
func luminance(hex string) float64 {
	sum := 0.0
	for i, weight := range []float64{.2126, .7152, .0722} {
		n, _ := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		c := float64(n) / 255
		if c <= .04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}

func TestColoursOfAFileStandOutFromItsPaper(t *testing.T) {
	for _, m := range regexp.MustCompile(`\.([bt])(\d)\{fill:(#[0-9a-f]{6})\}`).FindAllStringSubmatch(FileStyle, -1) {
		if got := contrast(m[3], "#ffffff"); got < 4.5 {
			t.Errorf("%s%s: %s has %.1f to 1; white words stand on it, and it stands on white", m[1], m[2], m[3], got)
		}
	}
}

package chart_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"koprik/ui/chart"
)

var nan = math.NaN()

func words() chart.Words {
	plain := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	return chart.Words{
		Number: plain, None: "none",
		Short:  func(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) },
		Signed: func(v float64) string { return fmt.Sprintf("%+.6g", v) },
		Share:  func(v float64) string { return fmt.Sprintf("%.1f %%", v*100) },
	}
}

func figure(kind chart.Kind) chart.Figure {
	f := chart.Figure{
		Kind: kind, Title: "Title & <more>", Desc: "What it says.", Mark: -1, Notes: []string{"Persons · source"},
		Labels: []string{"2022", "2023", "2024", "2025"},
		Series: []chart.Series{{Name: "Ayollar", Values: []float64{10, nan, 30, 45}}, {Name: "Erkaklar", Values: []float64{12, 18, 33, 41}}},
	}
	if kind == chart.Bars || kind == chart.Dots {
		f.Series = f.Series[:1]
	}
	return f
}

func draw(t testing.TB, f chart.Figure, width int) chart.Drawing {
	t.Helper()
	d, err := chart.Draw(f, words(), width)
	if err != nil {
		t.Fatalf("%s: %v", f.Kind, err)
	}
	return d
}

// A drawing that changes is looked at, and its file made anew with UPDATE=1.
func TestEveryKindIsDrawnAsItWasLookedAt(t *testing.T) {
	for _, kind := range chart.Kinds {
		for name, width := range map[string]int{"narrow": chart.Narrow, "wide": chart.Wide} {
			got := draw(t, figure(kind), width).SVG("") + "\n"
			file := filepath.Join("testdata", string(kind)+"-"+name+".svg")
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s has changed:\n%s", file, got)
			}
		}
	}
}

// anyFigure draws figures of every kind with the values that spoil layouts.
func anyFigure(t *rapid.T) chart.Figure {
	kind := rapid.SampledFrom(chart.Kinds).Draw(t, "kind")
	n := rapid.IntRange(1, 24).Draw(t, "labels")
	series := 2
	switch kind {
	case chart.Bars, chart.Dots:
		series = 1
	case chart.Line, chart.Stacked, chart.Shares, chart.Spark:
		series = rapid.IntRange(1, chart.MaxSeries).Draw(t, "series")
	case chart.Multiples:
		series = rapid.IntRange(1, chart.MaxMultiples).Draw(t, "series")
	}
	value := rapid.OneOf(rapid.Float64Range(-1e9, 1e9), rapid.SampledFrom([]float64{0, nan, 1e18, -1e18, 1e-12, 41.5}))
	f := chart.Figure{Kind: kind, Title: rapid.String().Draw(t, "title"), Mark: rapid.IntRange(-1, n).Draw(t, "mark"), Notes: rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "notes")}
	for range n {
		f.Labels = append(f.Labels, rapid.String().Draw(t, "label"))
	}
	for range series {
		s := chart.Series{Name: rapid.String().Draw(t, "name")}
		for range n {
			v := value.Draw(t, "value")
			if slices.Contains([]chart.Kind{chart.Stacked, chart.Shares, chart.Pyramid}, kind) {
				v = math.Abs(v)
			}
			s.Values = append(s.Values, v)
		}
		f.Series = append(f.Series, s)
	}
	f.Breaks = rapid.SliceOfN(rapid.IntRange(-1, n+1), 0, 3).Draw(t, "breaks")
	return f
}

var number = regexp.MustCompile(` (?:x|y|x1|x2|y1|y2|cx|cy|r|width|height)="(-?[0-9.]+)"`)

func TestWhateverIsDrawnStaysWithinItsFrame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFigure(t)
		width := rapid.SampledFrom([]int{chart.Narrow, chart.Wide, 240}).Draw(t, "width")
		d, err := chart.Draw(f, words(), width)
		if err != nil {
			if !errors.Is(err, chart.ErrFigure) {
				t.Fatal(err)
			}
			return
		}
		svg := d.SVG("")
		if err := xml.Unmarshal([]byte(svg), new(struct{})); err != nil {
			t.Fatalf("is not XML: %v\n%s", err, svg)
		}
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") || strings.Contains(svg, "style=") {
			t.Fatalf("a number that is none, or a style:\n%s", svg)
		}
		for _, m := range number.FindAllStringSubmatch(svg, -1) {
			if v, err := strconv.ParseFloat(m[1], 64); err != nil || v < -1 || v > max(d.Width, d.Height)+1 {
				t.Fatalf("%s is outside of %g × %g", m[0], d.Width, d.Height)
			}
		}
	})
}

func TestWordsOfATableCannotBecomeMarkup(t *testing.T) {
	f := figure(chart.Grouped)
	nasty := `"><script>alert(1)</script>&`
	f.Title, f.Desc, f.Notes, f.Labels[0], f.Series[0].Name = nasty, nasty, []string{nasty}, nasty, nasty
	d := draw(t, f, chart.Wide)
	for _, out := range []string{d.SVG(nasty), string(d.File())} {
		if strings.Contains(out, "<script") || xml.Unmarshal([]byte(out), new(struct{})) != nil {
			t.Errorf("%s", out)
		}
	}
}

func TestAFigureThatDoesNotFitTogetherIsRefused(t *testing.T) {
	long := make([]string, chart.MaxPoints+1)
	for name, spoil := range map[string]func(*chart.Figure){
		"kind":                 func(f *chart.Figure) { f.Kind = "pie" },
		"no labels":            func(f *chart.Figure) { f.Labels = nil },
		"too many labels":      func(f *chart.Figure) { f.Labels = long },
		"no series":            func(f *chart.Figure) { f.Series = nil },
		"too many series":      func(f *chart.Figure) { f.Series = make([]chart.Series, chart.MaxSeries+1) },
		"a short series":       func(f *chart.Figure) { f.Series[1].Values = []float64{1} },
		"without bound":        func(f *chart.Figure) { f.Series[0].Values[0] = math.Inf(1) },
		"below zero":           func(f *chart.Figure) { f.Series[0].Values[0] = -1 },
		"nothing is known":     func(f *chart.Figure) { f.Series = []chart.Series{{Values: []float64{nan, nan, nan, nan}}} },
		"three for a pyramid":  func(f *chart.Figure) { f.Kind = chart.Pyramid; f.Series = append(f.Series, f.Series[0]) },
		"one for a gap":        func(f *chart.Figure) { f.Kind = chart.Gap; f.Series = f.Series[:1] },
		"two for one bar each": func(f *chart.Figure) { f.Kind = chart.Bars },
	} {
		f := figure(chart.Stacked)
		spoil(&f)
		if _, err := chart.Draw(f, words(), chart.Wide); !errors.Is(err, chart.ErrFigure) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := chart.Draw(figure(chart.Line), words(), 10); !errors.Is(err, chart.ErrFigure) {
		t.Errorf("ten pixels: %v", err)
	}
}

func TestNoLineIsDrawnAcrossAGapOrABreak(t *testing.T) {
	f := chart.Figure{
		Kind: chart.Line, Title: "t", Labels: []string{"a", "b", "c", "d", "e", "f"}, Breaks: []int{4}, Mark: -1,
		Series: []chart.Series{{Name: "s", Values: []float64{1, 2, nan, 3, 4, 5}}},
	}
	svg := draw(t, f, chart.Wide).SVG("")
	if lines := strings.Count(svg, `<path class="l1"`); lines != 2 {
		t.Errorf("%d lines for a-b and e-f:\n%s", lines, svg)
	}
	if dots := strings.Count(svg, `<circle class="b1"`); dots != 2 { // d alone, and the end
		t.Errorf("%d dots", dots)
	}
	if !strings.Contains(svg, `class="break"`) {
		t.Error("the break is not shown")
	}
}

func TestBarsBeginAtZero(t *testing.T) {
	f := figure(chart.Bars)
	f.Series[0].Values = []float64{100, 101, 102, 104}
	svg := draw(t, f, chart.Wide).SVG("")
	var widths []float64
	for _, m := range regexp.MustCompile(`<rect class="b1"[^>]* width="([0-9.]+)"`).FindAllStringSubmatch(svg, -1) {
		w, _ := strconv.ParseFloat(m[1], 64)
		widths = append(widths, w)
	}
	if len(widths) != 4 || math.Abs(widths[0]/widths[3]-100.0/104) > .01 {
		t.Errorf("widths %v for 100 to 104", widths)
	}
}

func TestEverySeriesHasALabelOfItsOwn(t *testing.T) {
	for _, kind := range []chart.Kind{chart.Line, chart.Grouped, chart.Stacked, chart.Shares, chart.Pyramid, chart.Gap, chart.Multiples} {
		svg := draw(t, figure(kind), chart.Narrow).SVG("")
		if !strings.Contains(svg, ">Ayollar<") || !strings.Contains(svg, ">Erkaklar<") {
			t.Errorf("%s leaves a colour to speak alone", kind)
		}
	}
}

func TestAFileNeedsNoPageAroundIt(t *testing.T) {
	file := string(draw(t, figure(chart.Line), chart.Wide).File())
	for _, part := range []string{`xmlns="http://www.w3.org/2000/svg"`, "<style>", "Title &amp; &lt;more&gt;", "<desc>What it says.</desc>"} {
		if !strings.Contains(file, part) {
			t.Errorf("%s is not in it", part)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	for _, kind := range []chart.Kind{chart.Line, chart.Grouped, chart.Gap} {
		b.Run(string(kind), func(b *testing.B) {
			f := figure(kind)
			for b.Loop() {
				_ = draw(b, f, chart.Wide).SVG("")
			}
		})
	}
}

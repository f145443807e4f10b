package chart

import (
	"bytes"
	"errors"
	"image/color"
	"image/png"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestAPictureIsTheSameBytesEveryTimeAndSmall(t *testing.T) {
	bars := Figure{Kind: Bars, Title: "Bars", Mark: 0, Labels: []string{"A", "B"}, Series: []Series{{Values: []float64{2, -1}}}, Notes: []string{"a note"}}
	line := Figure{Kind: Line, Title: "Lines", Mark: -1, Labels: []string{"1", "2", "3", "4"}, Breaks: []int{2}, Series: []Series{{"A", []float64{2, 1, 4, 5}}, {"B", []float64{3, 2, 4, 6}}}}
	figures := []Figure{bars, line}
	if !testing.Short() {
		figures = append(figures, sampleMap(t))
	}
	for _, f := range figures {
		kind := f.Kind
		d, err := Draw(f, plainWords(), Wide)
		if err != nil {
			t.Fatal(err)
		}
		one, err := d.PNG()
		if err != nil {
			t.Fatal(err)
		}
		two, err := d.PNG()
		if err != nil || !bytes.Equal(one, two) {
			t.Errorf("%s: two pictures of one drawing differ, %v", kind, err)
		}
		img, err := png.Decode(bytes.NewReader(one))
		if err != nil {
			t.Fatal(err)
		}
		if b := img.Bounds(); b.Dx() != int(d.Width+2*fileMargin)*2 || b.Dy() < int(d.Height)*2 {
			t.Errorf("%s: %v for a drawing of %v by %v", kind, b, d.Width, d.Height)
		}
		if len(one) > 200<<10 {
			t.Errorf("%s: %d bytes", kind, len(one))
		}
	}
}

func TestAPictureShowsFillsHolesAndLetters(t *testing.T) {
	square := func(x, y, w float64) []Point { return []Point{{x, y}, {x + w, y}, {x + w, y + w}, {x, y + w}} }
	d := Drawing{Width: 240, Height: 100, marks: []mark{
		{shape: shapeRings, class: "q5", closed: true, rings: [][]Point{square(10, 10, 60), square(30, 30, 20)}},
		{shape: shapeLine, class: "zero", at: []float64{100, 50, 200, 50}},
		{shape: shapeText, class: "strong", at: []float64{100, 90}, text: "Ўғил Gʻoʻza Á", anchor: "start"},
	}}
	b, err := d.PNG()
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	at := func(x, y float64) color.RGBA {
		return color.RGBAModel.Convert(img.At(int((x+fileMargin)*2), int((y+fileHead)*2))).(color.RGBA)
	}
	if at(15, 15) != (color.RGBA{0x12, 0x35, 0x5b, 255}) || at(40, 40) != (color.RGBA{255, 255, 255, 255}) {
		t.Errorf("the area is %v and its hole %v", at(15, 15), at(40, 40))
	}
	dark := 0
	for x := 100.0; x < 240; x += .5 {
		for y := 78.0; y < 92; y += .5 {
			if at(x, y).R < 100 {
				dark++
			}
		}
	}
	if dark < 200 {
		t.Errorf("%d dark pixels where a text stands", dark)
	}
}

func TestEveryLetterOfTheFiveOrthographiesIsInTheFonts(t *testing.T) {
	for _, f := range []*face{regular(), bold()} {
		for _, r := range "AZaz09oʻgʻʼÁáǴǵÍıŃńÓóÚúЎўҚқҒғҲҳЁёЙйЪъ№–—·…«»“”%" {
			if g := f.glyph(nil, r); g == 0 {
				t.Errorf("no glyph for %q", r)
			}
		}
	}
}

func TestWhatOnlySaysHowATextIsSetIsNotDrawn(t *testing.T) {
	const plain, set = "2026-yil 3-nashr", "2026-\u2060yil 3-\u2060nashr"
	for name, f := range map[string]*face{"regular": regular(), "bold": bold()} {
		if got, want := f.width(set, 16), f.width(plain, 16); got != want {
			t.Errorf("%s: %g wide, want %g", name, got, want)
		}
		if got, want := f.rings(set, 0, 0, 16, 1), f.rings(plain, 0, 0, 16, 1); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d outlines, want %d", name, len(got), len(want))
		}
	}
	if got, want := TextWidth(set, 16, false), TextWidth(plain, 16, false); got != want {
		t.Errorf("laid out %g wide, want %g", got, want)
	}
}

func TestAPictureThatWouldBeTooLargeIsNotMade(t *testing.T) {
	if _, err := (Drawing{Width: 2000, Height: 1e6}).PNG(); !errors.Is(err, ErrFigure) {
		t.Errorf("%v", err)
	}
}

func TestTheStyleOfFilesIsReadWholly(t *testing.T) {
	for _, r := range rules() {
		for _, c := range r.classes {
			if strings.ContainsAny(c, " .:>#") {
				t.Errorf("a selector that pictures do not understand: %q", c)
			}
		}
		for _, p := range r.properties {
			if (p[0] == "fill" || p[0] == "stroke") && p[1] != "none" && colorOf(p[1]).A == 0 {
				t.Errorf("a colour that pictures do not understand: %q", p[1])
			}
		}
	}
	if l := lookOf("note t2"); l.fill != colorOf("#515c68") || l.em != .92 {
		t.Errorf("%+v", l)
	}
}

func BenchmarkPicture(b *testing.B) {
	d, err := Draw(sampleMap(b), plainWords(), Wide)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := d.PNG(); err != nil {
			b.Fatal(err)
		}
	}
}

// demoOutline is that of the demonstration.
func demoOutline(t testing.TB) *Outline {
	t.Helper()
	f, err := os.Open("../../internal/demo/packages/region-outlines/region_outlines.geojson")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g, err := ReadGeoJSON(f, func(p map[string]any) string { s, _ := p["iso_code"].(string); return s })
	if err != nil {
		t.Fatal(err)
	}
	o, err := NewOutline(g.Areas)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// sampleMap has a value for each region but one.
func sampleMap(t testing.TB) Figure {
	o := demoOutline(t)
	f := Figure{Kind: Map, Title: "Hospitals", Outline: o, Mark: -1, Series: []Series{{}}, Notes: []string{"Institutions · 2024", "Source: an office"}}
	for i, key := range o.Keys() {
		f.Keys, f.Labels = append(f.Keys, key), append(f.Labels, "Region "+key)
		v := float64(100 + i*i*7)
		if key == "UZ-BU" {
			v = math.NaN()
		}
		f.Series[0].Values = append(f.Series[0].Values, v)
	}
	return f
}

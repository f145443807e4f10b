package chart

import (
	"image/color"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// look is what the classes of a mark say, as FileStyle has it.
type look struct {
	fill, stroke color.RGBA // transparent: none
	width, dash  float64
	size, em     float64 // of text: CSS pixels, 0 for the drawing's own; times that
	bold         bool
}

// rule is one of FileStyle.
type rule struct {
	classes    []string
	properties [][2]string
}

// rules are those of FileStyle: it has selectors of one class alone.
var rules = sync.OnceValue(func() []rule {
	var all []rule
	for _, text := range strings.Split(FileStyle, "}") {
		selectors, body, ok := strings.Cut(text, "{")
		if !ok {
			continue
		}
		var r rule
		for _, s := range strings.Split(selectors, ",") {
			r.classes = append(r.classes, strings.TrimPrefix(s, "."))
		}
		for _, declaration := range strings.Split(body, ";") {
			if name, value, ok := strings.Cut(declaration, ":"); ok {
				r.properties = append(r.properties, [2]string{name, value})
			}
		}
		all = append(all, r)
	}
	return all
})

// lookOf is the look of a mark of classes: later rules go before earlier ones.
func lookOf(class string) look {
	classes := append(strings.Fields(class), "chart")
	l := look{width: 1, em: 1}
	for _, r := range rules() {
		if !slices.ContainsFunc(r.classes, func(c string) bool { return slices.Contains(classes, c) }) {
			continue
		}
		for _, p := range r.properties {
			l.set(p[0], p[1])
		}
	}
	return l
}

func (l *look) set(name, value string) {
	switch name {
	case "fill":
		l.fill = colorOf(value)
	case "stroke":
		l.stroke = colorOf(value)
	case "stroke-width":
		l.width = length(value)
	case "stroke-dasharray":
		first, _, _ := strings.Cut(value, " ")
		l.dash = length(first)
	case "font-size":
		if em, ok := strings.CutSuffix(value, "em"); ok {
			l.em = length(em)
		} else {
			l.size = length(value)
		}
	case "font-weight":
		l.bold = value == "600"
	}
}

func length(value string) float64 {
	n, err := strconv.ParseFloat(strings.TrimSuffix(value, "px"), 64)
	if err != nil {
		return 0
	}
	return n
}

// colorOf reads "#rgb" and "#rrggbb"; anything else is none.
func colorOf(value string) color.RGBA {
	hex, ok := strings.CutPrefix(value, "#")
	if ok && len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	if !ok || err != nil || len(hex) != 6 {
		return color.RGBA{}
	}
	return color.RGBA{uint8(n >> 16), uint8(n >> 8), uint8(n), 255} //nolint:gosec // three bytes of a number
}

package chart

import (
	"sync"
	"unicode"
)

// widthGroup are letters that are no wider than so many ems.
type widthGroup struct {
	ems     float64
	letters string
}

// The advance widths of DejaVu Sans and of its bold, rounded up to .02: of the
// faces that browsers fall back to, none in common use is wider. A test compares
// them with the font.
var (
	regularWidths = []widthGroup{
		{.28, "'ijlíıіїј"},
		{.3, "IJÍІЇЈ"},
		{.32, " ,.·ʻʼ‘’"},
		{.34, "/:;\\|"},
		{.36, "f"},
		{.38, "-"},
		{.4, "()[]t"},
		{.42, "!r²³"},
		{.46, "\""},
		{.5, "*_`§°–"},
		{.52, "“”„"},
		{.54, "?szśşгзѓѕ"},
		{.56, "Lcçсэє"},
		{.58, "Fk"},
		{.6, "vxyвтухчьўғүұҳҷӯ•"},
		{.62, "PTYaeo«»àáâäèéêëòóôöЃЎГРТУабекояѐёќқҮҰәөӮ"},
		{.64, "$0123456789ESbdghnpqu{}ÈÉÊËßñùúûüğńŚŞǵЀЁЅЕлрђһ€₽"},
		{.66, "KЗийнпћѝџӣ"},
		{.68, "Ғң"},
		{.7, "ABCRVXZÀÁÂÄÇЄАБВСХЧЬЭЯдцҲҶҺ"},
		{.72, "ЌКъҚ"},
		{.74, "UÙÚÛÜ"},
		{.76, "HNÑŃЍЏИЙЛНПмҢӢ"},
		{.78, "&DGĞǴЦ"},
		{.8, "OQÒÓÔÖЂЋДОыӘӨ"},
		{.82, "w"},
		{.84, "#+<=>^~±×÷Ъ←→−≈≤≥"},
		{.86, "фю"},
		{.88, "MМФ"},
		{.9, "Ыњ"},
		{.92, "жшљ"},
		{.96, "%щ"},
		{.98, "m¼½¾"},
		{1, "@W©®—…"},
		{1.06, "Њ№"},
		{1.08, "ЖШЮ"},
		{1.1, "ЉЩ"},
		{1.36, "‰"},
	}
	boldWidths = []widthGroup{
		{.32, "'"},
		{.36, " ijlíıіїј"},
		{.38, ",./IJ\\|·ÍʻʼІЇЈ‘’"},
		{.4, ":;"},
		{.42, "-"},
		{.44, "f²³"},
		{.46, "!()[]"},
		{.48, "t"},
		{.5, "_`r§°–"},
		{.54, "\"*гѓ"},
		{.56, "ғ"},
		{.58, "т"},
		{.6, "?cszçśşзсэєѕ"},
		{.64, "LЃГвь•"},
		{.66, "vxy«»ухяўүұҳӯ“”„"},
		{.68, "aekàáâäèéêëаекѐёќҒқә"},
		{.7, "$0123456789EFToÈÉÊËòóôöЀЁЕТбнопчџҷө€₽"},
		{.72, "bdghnpqu{}ßñùúûüğńǵЗийрђѝһӣ"},
		{.74, "CPSYZÇŚŞЄЅРСЭлћҮҰ"},
		{.76, "цъ"},
		{.78, "ABKRVXÀÁÂÄЎАБВУХЬЯҚҲӮ"},
		{.82, "UÙÚÛÜЌКЧдмңҶҺ"},
		{.84, "#+<=>DGHN^~±Ñ×÷ĞŃǴЍЏИЙЛНПӢ←→−≈≤≥"},
		{.86, "OQÒÓÔÖОӘӨ"},
		{.88, "&ЂЋ"},
		{.9, "Д"},
		{.92, "ы"},
		{.94, "wЦЪ"},
		{.96, "њҢ"},
		{.98, "ю"},
		{1, "@M©®МФжфљ—…"},
		{1.02, "%"},
		{1.04, "¼½¾Ы"},
		{1.06, "m"},
		{1.08, "ш"},
		{1.12, "Wщ"},
		{1.14, "Њ"},
		{1.16, "Љ"},
		{1.18, "Ю"},
		{1.22, "№"},
		{1.24, "ЖШ"},
		{1.34, "Щ"},
		{1.44, "‰"},
	}

	regularWidth = sync.OnceValue(func() *widthTable { return newWidthTable(regularWidths) })
	boldWidth    = sync.OnceValue(func() *widthTable { return newWidthTable(boldWidths) })
)

// widthTable gives the width of a letter in ems.
type widthTable struct {
	low  [0x530]float64 // Latin and Cyrillic
	rest map[rune]float64
}

func newWidthTable(groups []widthGroup) *widthTable {
	t := &widthTable{rest: map[rune]float64{}}
	for _, g := range groups {
		for _, r := range g.letters {
			if int(r) < len(t.low) {
				t.low[r] = g.ems
			} else {
				t.rest[r] = g.ems
			}
		}
	}
	t.low['\u00a0'] = t.low[' ']
	return t
}

func (t *widthTable) of(r rune) float64 {
	if r >= 0 && int(r) < len(t.low) && t.low[r] > 0 {
		return t.low[r]
	}
	if w, ok := t.rest[r]; ok {
		return w
	}
	switch {
	case unicode.In(r, unicode.Mn, unicode.Cf):
		return 0
	case unicode.IsSpace(r):
		return t.low[' ']
	case r < 0x2e80 && unicode.IsLower(r):
		return .9
	}
	return 1.1 // capitals that no orthography here has, ideographs, boxes
}

package lang

import (
	"strings"

	"koprik/portal"
)

// Slug gives the name of a dataset that a title asks for: its words in Latin
// letters, in a-z, 0-9 and hyphens only, at most portal.MaxDatasetName bytes
// and cut between words. The two scripts of an Uzbek title give one slug:
// "Oʻzbekiston aholisi soni" and "Ўзбекистон аҳолиси сони" give
// "ozbekiston-aholisi-soni". A slug is always accepted by portal.NewDatasetID;
// it is empty only where the title has no letter or digit of our scripts.
func Slug(title string) string {
	var b strings.Builder
	for _, word := range Tokens(title) {
		part := ascii(Fold(latinWord(word)))
		if part == "" {
			continue
		}
		if b.Len() == 0 {
			b.WriteString(part[:min(len(part), portal.MaxDatasetName)])
			continue
		}
		if b.Len()+1+len(part) > portal.MaxDatasetName {
			break
		}
		b.WriteString("-" + part)
	}
	slug := b.String()
	if slug == "" {
		return ""
	}
	if _, err := portal.NewDatasetID("x", slug); err != nil {
		slug += "-1" // a device name of DOS: "con", "aux"
	}
	return slug
}

func ascii(folded string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, folded)
}

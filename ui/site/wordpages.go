package site

import "koprik/ui/locale"

// wordsPage is the struct of templates/words.html: a page that is only words.
type wordsPage struct {
	*Frame
	Lead     string
	Sections []Section
	Links    []Link
}

// Section is a heading and the paragraphs below it.
type Section struct {
	Title string
	Text  []string
}

// sections reads sections off a list of keys: the first of each is its heading.
func (v *visit) sections(keys ...[]locale.Key) []Section {
	all := make([]Section, len(keys))
	for i, group := range keys {
		all[i].Title = v.T(group[0])
		for _, key := range group[1:] {
			all[i].Text = append(all[i].Text, v.T(key))
		}
	}
	return all
}

// help says how to find a figure, read it and take it along.
func (s *site) help(v *visit) (answer, error) {
	v.Title = v.T("frame.help")
	return answer{template: "words", data: &wordsPage{
		Frame: v.Frame, Lead: v.T("help.lead"),
		Sections: v.sections(
			[]locale.Key{"help.find", "help.find1", "help.find2"},
			[]locale.Key{"help.read", "help.read1", "help.read2"},
			[]locale.Key{"help.table", "help.table1"},
			[]locale.Key{"help.take", "help.take1"},
			[]locale.Key{"help.script", "help.script1"},
			[]locale.Key{"help.who", "help.who1"},
		),
		Links: []Link{v.wordLink("frame.about", "/about"), v.wordLink("frame.node", "/node"), v.wordLink("verify.title", "/verify")},
	}}, nil
}

// about says how a reader knows that the data is unaltered, and what that does
// not mean (DESIGN.md, "Honesty towards people").
func (s *site) about(v *visit) (answer, error) {
	v.Title = v.T("frame.about")
	return answer{template: "words", data: &wordsPage{
		Frame: v.Frame, Lead: v.T("about.lead"),
		Sections: v.sections(
			[]locale.Key{"about.how", "about.how1", "about.how2", "about.how3"},
			[]locale.Key{"about.not", "about.not1", "about.not2", "about.not3"},
			[]locale.Key{"about.offline", "about.offline1"},
		),
		Links: []Link{v.wordLink("verify.title", "/verify"), v.wordLink("frame.node", "/node"), v.wordLink("frame.help", "/help")},
	}}, nil
}

// privacy says what is kept, where, and what is not.
func (s *site) privacy(v *visit) (answer, error) {
	v.Title = v.T("frame.privacy")
	return answer{template: "words", data: &wordsPage{
		Frame: v.Frame, Lead: v.T("privacy.lead"),
		Sections: v.sections(
			[]locale.Key{"privacy.cookie", "privacy.cookie1"},
			[]locale.Key{"privacy.server", "privacy.server1"},
			[]locale.Key{"privacy.others", "privacy.others1", "privacy.others2"},
			[]locale.Key{"privacy.kiosk", "privacy.kiosk1"},
		),
		Links: []Link{v.wordLink("frame.node", "/node")},
	}}, nil
}

func (v *visit) wordLink(key locale.Key, path string) Link {
	return Link{Shown: Shown{Text: v.T(key)}, Href: v.Base + path}
}

package site

import (
	"fmt"
	"strings"

	"github.com/gorilla/mux"

	"koprik/portal"
)

// Feeds of public questions: /feeds/{lang}/questions.atom of all, and
// …/questions-{slug}.atom of one dataset. An entry is a question with its last
// answer; it is renewed by each answer, under the same id on every node.

// questionsFeed fills a feed with public questions and gives the page that has them.
func (v *visit) questionsFeed(f *atomFeed) (page string, err error) {
	if v.site.o.Asker == nil {
		return "", fmt.Errorf("questions: %w", portal.ErrNotFound)
	}
	var threads []portal.Thread
	page, f.Title = v.Base+"/ask", v.T("feed.questions", "site", v.Site)
	if slug := mux.Vars(v.r)["slug"]; slug == "" {
		threads, err = v.site.o.Asker.NewestThreads(v.ctx, v.view, feedEntries)
	} else {
		var d portal.Dataset
		if d, err = v.findDataset(); err != nil {
			return "", err
		}
		page, f.Title = v.datasetURL(d.ID), v.T("feed.questionsof", "name", v.title(d).Text, "site", v.Site)
		threads, err = v.site.o.Asker.Threads(v.ctx, v.view, d.ID)
	}
	if err != nil {
		return "", err
	}
	for _, t := range threads[:min(len(threads), feedEntries)] {
		f.Entries = append(f.Entries, v.questionEntry(t))
	}
	return page, nil
}

func (v *visit) questionEntry(t portal.Thread) atomEntry {
	const titleLength, summaryLength = 120, 1500
	e := atomEntry{
		ID: "koprik-question:" + t.ID.String(), Title: clip(strings.Join(strings.Fields(t.Text), " "), titleLength),
		Updated: portal.LastSaid(t).Time().Format("2006-01-02T15:04:05Z07:00"), Author: atomAuthor{v.Site}, Summary: v.stateWord(t.State) + ".",
		Links: []atomLink{{"alternate", "text/html", origin(v.r) + v.Base + "/inquiry/" + t.ID.String()}},
	}
	if n := len(t.Answers); n > 0 {
		a := t.Answers[n-1]
		e.Summary = clip(e.Summary+" "+a.Text, summaryLength)
		if by := strings.Trim(a.Post+", "+a.Office, ", "); by != "" {
			e.Author.Name = by
		}
	}
	return e
}

package node_test

import (
	"context"
	"testing"

	"koprik/internal/node"
	"koprik/portal"
)

// questionsFound searches and gives the texts of the public questions found.
func questionsFound(t *testing.T, n *node.Node, text string) (texts []string) {
	t.Helper()
	v, err := n.View(t.Context())
	must(t, err)
	defer v.Close()
	results, err := v.Search(t.Context(), portal.Query{Text: text})
	must(t, err)
	reads := v.(interface {
		Thread(ctx context.Context, id portal.InquiryID) (portal.Thread, error)
	})
	for _, h := range results.Threads {
		thread, err := reads.Thread(t.Context(), h.Thread)
		must(t, err)
		texts = append(texts, thread.Text)
	}
	return texts
}

func TestAPublicQuestionIsFoundOnEveryNodeAndOnlyOnceItIsShown(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("water", 1))
	kiosk := newMirror(t, central)
	sync(t, kiosk)
	ask(t, kiosk, "Nega suv kam?", true)
	carry(t, stickOf(t, central, 0), kiosk, central)
	list := cases(t, central)
	if len(list) != 1 {
		t.Fatalf("%d cases", len(list))
	}
	reply(t, central, list[0], "Yoz quruq keldi.")
	speak(t, central)
	sync(t, kiosk)
	for _, n := range []*node.Node{central, kiosk} {
		if got := questionsFound(t, n, "quruq"); len(got) != 0 {
			t.Errorf("%s: before it is shown: %q", n.Config().Title, got)
		}
	}
	show(t, central, list[0])
	speak(t, central)
	sync(t, kiosk)
	for _, n := range []*node.Node{central, kiosk} {
		for _, text := range []string{"nega suv", "қуруқ", "suvning"} {
			if got := questionsFound(t, n, text); len(got) != 1 || got[0] != "Nega suv kam?" {
				t.Errorf("%s: %q finds %q", n.Config().Title, text, got)
			}
		}
	}
}

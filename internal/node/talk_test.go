package node_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"koprik/internal/node"
	"koprik/portal"
)

// asked is a public question about a dataset, with an e-mail.
func asked(text string, public bool) portal.Inquiry {
	return portal.Inquiry{Kind: portal.Question, Text: text, Lang: portal.Uzbek, Email: "citizen@example.org", Public: public, About: portal.Place{Dataset: "main_water"}}
}

func ask(t *testing.T, n *node.Node, text string, public bool) portal.ReceiptCode {
	t.Helper()
	must(t, n.CanAsk(t.Context()))
	code, err := n.Send(t.Context(), asked(text, public), portal.ReceiptCode{})
	must(t, err)
	return code
}

func speak(t *testing.T, n *node.Node) {
	t.Helper()
	_, err := n.Speak(t.Context(), false)
	must(t, err)
}

// told is what a receipt opens at a node; the zero Answer when nothing lies there.
func told(t *testing.T, n *node.Node, code portal.ReceiptCode) portal.Answer {
	t.Helper()
	a, ok, err := n.OpenReceipt(t.Context(), code)
	must(t, err)
	if !ok && a != (portal.Answer{}) {
		t.Errorf("something is told by a receipt that opens nothing: %+v", a)
	}
	return a
}

func cases(t *testing.T, n *node.Node) []portal.Case {
	t.Helper()
	list, _, err := n.Cases(t.Context(), portal.CaseQuery{})
	must(t, err)
	return list
}

func waiting(t *testing.T, n *node.Node) int {
	t.Helper()
	w, err := n.Waits(t.Context())
	must(t, err)
	return w.Count
}

func reply(t *testing.T, n *node.Node, c portal.Case, text string) {
	t.Helper()
	_, err := n.ChangeCase(t.Context(), c.Inquiry.ID, "main/desk", func(c *portal.Case, cal portal.WorkCalendar, e portal.CaseEvent) error {
		return c.Reply(portal.Answer{State: portal.Answered, Text: text, Lang: portal.Uzbek, Post: "Boshliq"}, cal, e)
	})
	must(t, err)
}

func show(t *testing.T, n *node.Node, c portal.Case) {
	t.Helper()
	_, err := n.ChangeCase(t.Context(), c.Inquiry.ID, "moderator", func(c *portal.Case, _ portal.WorkCalendar, e portal.CaseEvent) error {
		return c.Moderate(portal.Moderation{State: portal.Shown}, node.NewInquiryID(), e)
	})
	must(t, err)
}

func threads(t *testing.T, n *node.Node, id portal.DatasetID) []portal.Thread {
	t.Helper()
	v, err := n.View(t.Context())
	must(t, err)
	defer v.Close()
	list, err := n.Threads(t.Context(), v, id)
	must(t, err)
	return list
}

// syncFrom syncs once from a server.
func syncFrom(t *testing.T, n *node.Node, url string) {
	t.Helper()
	_, err := n.Sync(t.Context(), node.SyncOptions{From: url + "/repository"})
	must(t, err)
}

// carry takes the questions of from to the centre on a stick, and answers back.
func carry(t *testing.T, stick string, from, central *node.Node) {
	t.Helper()
	_, err := from.Sync(t.Context(), node.SyncOptions{From: stick})
	must(t, err)
	_, err = central.TakeStick(t.Context(), stick)
	must(t, err)
}

func TestAQuestionTravelsOnAStickAndItsAnswerOpensAtAnotherMirror(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("water", 1))
	kiosk, other := newMirror(t, central), newMirror(t, central)
	sync(t, kiosk)
	code := ask(t, kiosk, "Nega suv kam?", true)
	if waiting(t, kiosk) != 1 {
		t.Fatal("the question is not kept")
	}
	if told(t, kiosk, code) != (portal.Answer{}) {
		t.Error("a state is told before the centre has heard of it")
	}
	stick := stickOf(t, central, 0)
	carry(t, stick, kiosk, central)
	carry(t, stick, kiosk, central)
	if waiting(t, kiosk) != 0 {
		t.Error("an acknowledged question waits still")
	}
	list := cases(t, central)
	if len(list) != 1 || list[0].State != portal.Assigned || list[0].Inquiry.Text != "Nega suv kam?" || list[0].Route.Contact != "desk" || list[0].Deadline.Due == "" {
		t.Fatalf("%+v", list)
	}
	if a := told(t, kiosk, code); a.State != portal.Assigned || a.Due != list[0].Deadline.Due {
		t.Errorf("the kiosk tells %+v", a)
	}
	reply(t, central, list[0], "Yoz quruq keldi.")
	show(t, central, list[0])
	speak(t, central)
	sync(t, other)
	if a := told(t, other, code); a.State != portal.Answered || a.Text != "Yoz quruq keldi." || a.Question != "Nega suv kam?" {
		t.Errorf("another mirror opens %+v", a)
	}
	for _, n := range []*node.Node{central, other} {
		got := threads(t, n, "main_water")
		if len(got) != 1 || got[0].Text != "Nega suv kam?" || len(got[0].Answers) != 1 {
			t.Errorf("%s shows %+v", n.Config().Title, got)
		}
	}
	if v, err := other.Verify(t.Context()); err != nil {
		t.Errorf("%+v %v", v, err)
	}
}

func TestAQuestionGoesThroughARelayThatCannotReadIt(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("water", 1))
	top := httptest.NewServer(handler(t, central))
	t.Cleanup(top.Close)
	region := newMirror(t, central)
	syncFrom(t, region, top.URL)
	middle := httptest.NewServer(handler(t, region))
	t.Cleanup(middle.Close)
	kiosk := newMirror(t, central)
	syncFrom(t, kiosk, middle.URL)
	code := ask(t, kiosk, "Nega suv kam?", false)
	syncFrom(t, kiosk, middle.URL)
	if w, err := region.Waits(t.Context()); err != nil || w.Relayed != 1 || waiting(t, kiosk) != 1 {
		t.Fatalf("%+v %v", w, err)
	}
	syncFrom(t, region, top.URL)
	if got := cases(t, central); len(got) != 1 || got[0].Opened {
		t.Fatalf("%+v", got)
	}
	speak(t, central)
	syncFrom(t, region, top.URL)
	syncFrom(t, kiosk, middle.URL)
	if w, err := region.Waits(t.Context()); err != nil || w.Relayed != 0 || waiting(t, kiosk) != 0 {
		t.Errorf("%+v %v", w, err)
	}
	if a := told(t, kiosk, code); a.State != portal.Assigned {
		t.Errorf("%+v", a)
	}
}

func TestSticksThatAreCopiedAndReplayedChangeNothing(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("water", 1))
	kiosk := newMirror(t, central)
	sync(t, kiosk)
	stick := stickOf(t, central, 0)
	ask(t, kiosk, "Birinchi?", false)
	_, err := kiosk.Sync(t.Context(), node.SyncOptions{From: stick})
	must(t, err)
	copied := filepath.Join(t.TempDir(), "copy")
	copyTree(t, stick, copied)
	for _, s := range []string{stick, copied, copied, stick} {
		if _, err := central.TakeStick(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	before := cases(t, central)
	must(t, central.Close())
	o := options()
	o.Clock = func() time.Time { return day.AddDate(1, 0, 0) }
	central = open(t, central.Dir(), o)
	for range 2 { // found in a drawer a year later, and again
		late := filepath.Join(t.TempDir(), "a year later")
		copyTree(t, copied, late)
		if _, err := central.TakeStick(t.Context(), late); err != nil {
			t.Fatal(err)
		}
	}
	after := cases(t, central)
	if len(before) != 1 || len(after) != 1 || before[0].Deadline.Due != after[0].Deadline.Due || !before[0].Received.Equal(after[0].Received) {
		t.Errorf("%+v\n%+v", before, after)
	}
}

func TestQuestionsAtTheCentreItselfAreTakenToo(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("water", 1))
	code := ask(t, central, "Qachon yangilanadi?", false)
	speak(t, central)
	if a := told(t, central, code); a.State != portal.Assigned || waiting(t, central) != 0 {
		t.Errorf("%+v", a)
	}
	if _, err := central.FindCase(t.Context(), cases(t, central)[0].Inquiry.ID.String()[:8]); err != nil {
		t.Error(err)
	}
}

func TestACentreThatServesOpensItsOwnQuestionsAtOnce(t *testing.T) {
	central := newCentral(t)
	must(t, central.TalkOnce(t.Context())) // what there is to say for today is said
	ask(t, central, "Suv qachon keladi?", false)
	must(t, central.TalkOnce(t.Context()))
	if list := cases(t, central); len(list) != 1 || !list[0].Opened || waiting(t, central) != 0 {
		t.Errorf("%+v", list)
	}
}

func TestSupportAndOpinionsAreCountedOncePerReceipt(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("water", 1))
	code := ask(t, central, "Tumanlar boʻyicha ham kerak.", true)
	speak(t, central)
	c := cases(t, central)[0]
	show(t, central, c)
	reply(t, central, c, "Eʼlon qilindi.")
	speak(t, central)
	thread := threads(t, central, "main_water")[0]
	too := portal.Inquiry{Kind: portal.SupportRequest, Lang: portal.Russian, Thread: thread.ID}
	other, err := central.Send(t.Context(), too, portal.ReceiptCode{})
	must(t, err)
	for range 2 {
		_, err = central.Send(t.Context(), too, other)
		must(t, err)
		_, err = central.Send(t.Context(), portal.Inquiry{Kind: portal.Opinion, Lang: portal.Uzbek, Useful: portal.UsefulPartly}, code)
		must(t, err)
	}
	speak(t, central)
	if got := threads(t, central, "main_water")[0]; got.Support != 1 || got.Useful != (portal.UsefulCount{Partly: 1}) {
		t.Errorf("%+v", got)
	}
	if a := told(t, central, other); a.State != portal.Answered || a.Text != "Eʼlon qilindi." || a.Question != thread.Text {
		t.Errorf("who wanted it too is told %+v", a)
	}
	if a := told(t, central, code); a.State != portal.Answered || a.Text != "Eʼlon qilindi." {
		t.Errorf("the asker is told %+v", a)
	}
}

// TestWhatIsSentWithAReceiptNeverHidesItsQuestion has an opinion come in one post
// with the question that it is about, and before it in order.
func TestWhatIsSentWithAReceiptNeverHidesItsQuestion(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("water", 1))
	q := asked("Nega?", false)
	q.ID = portal.InquiryID{0xff}
	code, err := central.Send(t.Context(), q, portal.ReceiptCode{})
	must(t, err)
	_, err = central.Send(t.Context(), portal.Inquiry{ID: portal.InquiryID{1}, Kind: portal.Opinion, Lang: portal.Uzbek, Useful: portal.UsefulNo}, code)
	must(t, err)
	speak(t, central)
	if a := told(t, central, code); a.State != portal.Assigned || a.Due == "" {
		t.Errorf("the asker is told %+v", a)
	}
}

func TestAWrongCodeAndOneThatIsNotAnsweredYetAreTheSame(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("water", 1))
	kiosk := newMirror(t, central)
	sync(t, kiosk)
	pending := ask(t, kiosk, "Nega?", false)
	wrong := portal.NewReceiptCode([portal.ReceiptRandom]byte{1, 2, 3})
	took := map[portal.ReceiptCode]time.Duration{}
	for range 5 {
		for _, code := range []portal.ReceiptCode{pending, wrong} {
			began := time.Now()
			if a := told(t, kiosk, code); a != (portal.Answer{}) {
				t.Errorf("%+v", a)
			}
			if d := time.Since(began); took[code] == 0 || d < took[code] {
				took[code] = d
			}
		}
	}
	if a, b := took[pending], took[wrong]; a > 2*b || b > 2*a {
		t.Errorf("one takes %v, the other %v", a, b)
	}
}

// TestNothingOnAMirrorsDiskTellsWhoAskedWhat looks at every byte of a mirror's data
// directory, and of its stick.
func TestNothingOnAMirrorsDiskTellsWhoAskedWhat(t *testing.T) {
	central := newCentral(t)
	publish(t, central, revision("water", 1))
	kiosk := newMirror(t, central)
	sync(t, kiosk)
	q := asked("Mening telefonim plantedphone998901234567, savolim plantedtext", false)
	q.Email = "plantedmail@example.org"
	code, err := kiosk.Send(t.Context(), q, portal.ReceiptCode{})
	must(t, err)
	stick := stickOf(t, central, 0)
	carry(t, stick, kiosk, central)
	carry(t, stick, kiosk, central)
	reply(t, central, cases(t, central)[0], "plantedanswer")
	speak(t, central)
	sync(t, kiosk)
	if told(t, kiosk, code).Text != "plantedanswer" {
		t.Error("the answer does not open")
	}
	secrets := []string{"plantedphone", "plantedtext", "plantedmail", "plantedanswer", code.Reveal(), code.Norm()}
	for _, dir := range []string{kiosk.Dir(), stick} {
		must(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			return holdsNone(t, path, secrets)
		}))
	}
}

func TestAPostThatIsNoneIsRefusedAndAFullNodeSaysSo(t *testing.T) {
	central := newCentral(t)
	for _, b := range [][]byte{nil, []byte("koprik post 1\n"), make([]byte, 300<<10)} {
		_, err := central.TakePost(context.Background(), b)
		wantKind(t, err, portal.ErrRejected)
	}
}

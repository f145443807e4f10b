package site

import (
	"strings"
	"testing"

	"koprik/portal"
)

const changesAddress = "/dataset/main_population/history?from=2&to=3"

// withChanges is the test's catalogue with a second release whose file differs.
func withChanges(t *testing.T, c portal.TableChange) *world {
	t.Helper()
	w := newWorld(t)
	w.view.releases = map[string]portal.Release{}
	w.view.addChange(c)
	return w
}

// addChange gives the first dataset a second release whose file differs.
func (f *fakeView) addChange(c portal.TableChange) {
	d := f.datasets[0]
	before := d.Latest
	before.Number = 2
	before.Resources = []portal.Resource{d.Latest.Resources[0], {Name: "letter", Path: "letter.pdf", Bytes: 12_000, Hash: digest("letter")}}
	before.Resources[0].Hash = digest("population before")
	f.releases[string(d.ID)+"/2"] = before
	f.changes = map[string]portal.TableChange{before.Resources[0].Hash.Short() + d.Latest.Resources[0].Hash.Short(): c}
}

func aChange() portal.TableChange {
	return portal.TableChange{
		Key: []string{"soato", "year"}, ColumnsAdded: []string{"women"}, ColumnsGone: []string{"old_name"}, RowsBefore: 90, RowsAfter: 96, Added: 6, Changed: 2,
		Rows: []portal.RowChange{
			{What: portal.RowAdded, Key: []any{int64(1733), int64(2025)}},
			{What: portal.RowChanged, Key: []any{int64(1733), int64(2024)}, Cells: []portal.CellChange{{Column: "people", Before: 1893.3, After: nil}}},
			{What: portal.RowChanged, Key: []any{int64(1703), int64(2024)}, Cells: []portal.CellChange{{Column: "people", Before: int64(4), After: 4.5}}},
		},
		Totals: []portal.TotalMoved{{Column: "people", Time: "2024", Before: 1000.1, After: 415.00000000000006}},
	}
}

func TestWhatChangedIsSaidInWordsAndShownAsATable(t *testing.T) {
	w := withChanges(t, aChange())
	mustHave(t, w.body(t, "/en"+changesAddress, 200), "What changed from release 2 to 3", "6 rows added and 2 rows changed. 90 rows before, 96 now.", "New columns: Women.",
		"Columns that are gone: old_name.", "Sum of “All, thousand, 2024”: 1,000.1 before, 415 now.", `<td role="cell">added</td><td role="cell">Khorezm region</td><td role="cell">2025</td>`,
		`<td role="cell" class="n">1,893.3</td><td role="cell" class="n">–</td>`, "3 of 8 changes are shown.", "Khorezm corrected", "The file is no longer there.", "The file is new: 1.4\u00a0MB.",
		`<option value="2" selected>Release 2</option>`, "computed from the two signed releases")
	mustHave(t, w.body(t, "/ru"+changesAddress, 200), "добавлено 6 строк и изменены 2 строки. Строк было 90, стало 96.", ">Хорезмская область<")
	mustHave(t, w.body(t, "/uz"+changesAddress, 200), "6 ta satr qoʻshildi va 2 ta satr oʻzgardi. Avval 90 ta satr edi, endi 96.")
	mustHave(t, w.body(t, "/kaa"+changesAddress, 200), "6 qatar qosıldı")
	mustHave(t, w.body(t, "/uz-cyrl"+changesAddress, 200), "6 та сатр қўшилди")
}

func TestEachReleaseLeadsToWhatChangedInIt(t *testing.T) {
	w := newWorld(t)
	body := w.body(t, "/en/dataset/main_population/history", 200)
	mustHave(t, body, `href="/en/dataset/main_population/history?from=2&amp;to=3"`, `href="/en/dataset/main_population/history?from=1&amp;to=2"`)
	if n := strings.Count(body, "What changed"); n != 2 {
		t.Errorf("%d of three releases lead to what changed", n)
	}
	mustNotHave(t, w.body(t, "/en/dataset/water_canals/history", 200), "What changed")
}

func TestTheSameReleaseTwiceIsTheSame(t *testing.T) {
	mustHave(t, withChanges(t, aChange()).body(t, "/en/dataset/main_population/history?from=3&to=3", 200), "Both releases have the same files.")
}

func TestATableThatIsOnlyWrittenOtherwiseIsSaidToBeTheSame(t *testing.T) {
	body := withChanges(t, portal.TableChange{RowsBefore: 96, RowsAfter: 96}).body(t, "/en"+changesAddress, 200)
	mustHave(t, body, "The table in it is the same.", "The file is another one: 48\u00a0kB before, 48\u00a0kB now.")
}

func TestReleasesThatCannotBeComparedSayWhy(t *testing.T) {
	w := withChanges(t, aChange())
	w.view.changes = nil
	mustHave(t, w.body(t, "/en"+changesAddress, 200), "cannot be compared on this node")
	for _, query := range []string{"?from=2", "?from=2&to=9", "?from=x&to=3", "?to=3", "?from=-1&to=3", "?from=2&to=%3Cscript%3E"} {
		body := w.body(t, "/en/dataset/main_population/history"+query, 400)
		mustHave(t, body, "is not a release of this dataset")
		mustNotHave(t, body, "<script>")
	}
}

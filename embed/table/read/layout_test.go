package read

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"koprik/portal"
)

func names(i portal.TableInfo) string {
	var all []string
	for _, f := range i.Columns {
		all = append(all, f.Name)
	}
	return strings.Join(all, "|")
}

func TestATableIsFoundOnItsPage(t *testing.T) {
	for _, c := range []struct{ name, text, columns, above, below, dialect string }{
		{"a title", "Aholi soni, ming kishi\n\nhudud,2024,2025\nAndijon,1,2\nBuxoro,3,4\n", "hudud|2024|2025", "Aholi soni, ming kishi", "", `{"headerRows":[3]}`},
		{"a padded title", "PREAMBLE,,,\n,,,\nhudud,soni,x,y\nAndijon,1,2,3\nBuxoro,3,4,5\n", "hudud|soni|x|y", "PREAMBLE", "", `{"headerRows":[3]}`},
		{"a header in two rows", "hudud,2024,,2025,\n,ayol,erkak,ayol,erkak\nAndijon,1,2,3,4\nBuxoro,5,6,7,8\n", "hudud|2024 ayol|2024 erkak|2025 ayol|2025 erkak", "", "", `{"headerRows":[1,2]}`},
		{"years under a group", "hudud,aholi,,\n,2023,2024,2025\nAndijon,1.5,2.5,3.5\nBuxoro,5.5,6.5,7.5\n", "hudud|aholi 2023|aholi 2024|aholi 2025", "", "", `{"headerRows":[1,2]}`},
		{"a header that stands twice", "a,b\na,b\n1,2\n", "a|b", "", "", `{"headerRows":[1,2]}`},
		{"numbered columns", "hudud,soni,izoh\n1,2,3\nAndijon,5,a\nBuxoro,6,b\nJizzax,7,c\n", "hudud|soni|izoh", "", "", ""},
		{"numbers that are data", "a,b,c\n1,2,3\n4,5,6\n7,8,9\n", "a|b|c", "", "", ""},
		{"footnotes", "hudud,soni,ulush\nAndijon,1,2\nBuxoro,3,4\n* dastlabki\nManba: Statistika qoʻmitasi\n", "hudud|soni|ulush", "", "* dastlabki / Manba: Statistika qoʻmitasi", ""},
		{"a footnote after a blank line", "hudud,soni,ulush\nAndijon,1,2\n\nhisobga olinmagan\n", "hudud|soni|ulush", "", "hisobga olinmagan", ""},
		{"a name without values is a row", "hudud,soni,ulush\nAndijon,1,2\nBuxoro,,\n", "hudud|soni|ulush", "", "", ""},
		{"a heading between rows is a row", "hudud,soni,ulush\nShahar,,\nAndijon,1,2\n", "hudud|soni|ulush", "", "", ""},
		{"a schema's names settle it", "a,,c\n,y,\n1,2,3\n", "a|column_2|c", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			info := mustCheck(t, "a.csv", c.text, func(r *portal.Resource) {
				if strings.HasPrefix(c.name, "a schema") {
					withDialect(`{"header": true}`)(r)
				}
			})
			if names(info) != c.columns || strings.Join(info.Above, " / ") != c.above || strings.Join(info.Below, " / ") != c.below || string(info.Dialect) != c.dialect {
				t.Errorf("%s; above %q, below %q, dialect %s, notes %q", names(info), info.Above, info.Below, info.Dialect, info.Notes)
			}
		})
	}
}

// What was guessed, declared, reads the same: other nodes take it from the release.
func TestAGuessThatIsDeclaredReadsTheSame(t *testing.T) {
	for _, text := range []string{
		"Aholi soni\n\nhudud;2024;2025\n1;2;3\nAndijon;1,5;2\nBuxoro;3,5;4\nJizzax;3,5;4\n* izoh\n",
		"hudud,2024,,2025,\n,ayol,erkak,ayol,erkak\nAndijon,1,2,3,4\nBuxoro,5,6,7,8\n",
	} {
		first := mustCheck(t, "a.csv", text)
		again := mustCheck(t, "a.csv", text, func(r *portal.Resource) { r.Dialect = first.Dialect })
		if names(first) != names(again) || first.Rows != again.Rows || !slices.Equal(first.Below, again.Below) || !slices.Equal(first.Above, again.Above) {
			t.Errorf("%q: %s %d, then %s %d", text, names(first), first.Rows, names(again), again.Rows)
		}
	}
}

const orders = "sana,vaqt,soni,kod,narx,nomi\n" +
	"01.02.2018,00:00,2,MG-8769,$74.69,Boots\n02.02.2018,00:15,0,RI-3895,$29.81,Running Jacket\n03.02.2018,00:30,1,RI-8070,$80.08,\"Shoes, Trail\"\n" +
	"04.02.2018,00:45,1,RI-9546,$25.55,Rods\n05.02.2018,01:00,9,CC-9259,$48.00,\"Pillow, Paddles\"\n06.02.2018,01:15,1,CC-1697,$34.22,Suspenders\n"

func TestABrokenRowIsNamedAndMendedOnlyInOneWay(t *testing.T) {
	for _, c := range []struct{ row, want string }{
		{"07.02.2018,01:301,CC-1111,$34.20,Hat", "07.02.2018|01:30|1|CC-1111|$34.20|Hat"},
		{"07.02.2018,01:30,1,CC-1111$34.20,Hat", "07.02.2018|01:30|1|CC-1111|$34.20|Hat"},
		{"07.02.2018,01:30,1,,CC-1111,$34.20,Hat", "07.02.2018|01:30|1|CC-1111|$34.20|Hat"},
		{"07.02.2018,01:30,1,\"CC-1111,$34.20,\"Hat, Felt\"", "07.02.2018|01:30|1|\"CC-1111|$34.20|Hat, Felt"},
		{"07.02.2018,01:30,1,CC-1111,$34.20,\"\"Hat, Felt\"", "07.02.2018|01:30|1|CC-1111|$34.20|\"Hat, Felt"},
		{"07.02.2018,01:30", ""},
		{"a,b,c,d,e,f,g,h", ""},
	} {
		text := orders + c.row + "\n08.02.2018,01:45,3,CC-2222,$34.20,Cap\n"
		if _, err := check("a.csv", text); !isRejection(err) || !strings.Contains(err.Error(), "row 8") || c.want != "" && !strings.Contains(err.Error(), "it may be meant as") {
			t.Errorf("%s: %v", c.row, err)
		}
		file := t.TempDir() + "/a.csv"
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, rows, err := readAll(t, file, portal.Resource{})
		if err != nil || len(rows) != 8 {
			t.Errorf("%s: %d rows, %v", c.row, len(rows), err)
			continue
		}
		if got := strings.Join(rows[6], "|"); c.want != "" && got != c.want {
			t.Errorf("%s: %s, want %s", c.row, got, c.want)
		}
	}
}

func TestAnotherTableInTheFileIsNotMixedIn(t *testing.T) {
	text := orders + "sana,vaqt,soni,kod,narx,nomi,yana\n01.02.2018,00:00,2,MG-8769,$74.69,Boots,x\n"
	if _, err := check("a.csv", text); !isRejection(err) || !strings.Contains(err.Error(), "row 8: another table begins here") {
		t.Error(err)
	}
	f, err := Open(context.Background(), strings.NewReader(text), int64(len(text)), portal.Resource{Path: "a.csv"}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = f.Each(func(tab *Table) error {
		if i := tab.Info(); i.Rows != 6 || len(i.Columns) != 6 || !slices.ContainsFunc(i.Notes, func(n string) bool { return strings.Contains(n, "another table") }) {
			t.Error(i.Rows, len(i.Columns), i.Notes)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

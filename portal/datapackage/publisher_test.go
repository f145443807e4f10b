package datapackage_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"koprik/portal"
	"koprik/portal/datapackage"
)

func office() portal.Publisher {
	return portal.Publisher{
		ID: "main", Version: 3, Issued: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC), Default: "desk",
		Title:       portal.Text{Plain: "Demonstration publisher", Translated: map[portal.Lang]string{portal.Russian: "Демонстрационный издатель"}},
		Description: portal.PlainText("It publishes what it is given"), Homepage: "https://example.uz/",
		Contacts: []portal.Contact{
			{ID: "desk", Post: portal.PlainText("Desk"), Email: "desk@example.uz", Phone: "+998 71 000", Since: "2026-01-01"},
			{ID: "lab", Post: portal.PlainText("Head"), Unit: portal.PlainText("Laboratory"), Name: portal.PlainText("A person"), Email: "lab@example.uz", Since: "2020-01-01", Until: "2025-12-31"},
		},
	}
}

func TestThePublishersRecordStaysByteForByteWhatItWas(t *testing.T) {
	b, err := datapackage.EncodePublisher(office())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "publisher.json")
	if *update {
		if err := os.WriteFile(file, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, golden) {
		t.Errorf("EncodePublisher wrote\n%s\nthe golden file has\n%s", b, golden)
	}
	got, err := datapackage.DecodePublisher(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(office(), got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestDecodePublisherRefusesWhatIsNotARecord(t *testing.T) {
	good, err := datapackage.EncodePublisher(office())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, replacement, want string }{
		"a duplicate key":        {`"version":3`, `"version":3,"version":4`, "stands twice"},
		"an unknown key":         {`"version":3`, `"version":3,"vresion":4`, `did you mean "version"?`},
		"an unknown contact key": {`"phone"`, `"x-phone"`, "contacts[0].x-phone"},
		"another default":        {`"default":"desk"`, `"default":"nobody"`, `default: "nobody" is not among the contacts`},
		"an id twice":            {`"id":"lab"`, `"id":"desk"`, "contacts[1].id"},
		"no e-mail":              {`"email":"lab@example.uz",`, ``, "contacts[1].email: is missing"},
		"until before since":     {`"until":"2025-12-31"`, `"until":"2019-12-31"`, "contacts[1].until"},
		"version zero":           {`"version":3`, `"version":0`, "version"},
		"a reserved name":        {`"publisher":"main"`, `"publisher":"root"`, "reserved"},
		"no title":               {`"title":"Demonstration publisher","title_translated":{"ru":"Демонстрационный издатель"},`, ``, "title: is missing"},
		"something after":        {"]}\n", "]}\n{}", "something after the end"},
	} {
		bad := strings.Replace(string(good), c.old, c.replacement, 1)
		if bad == string(good) {
			t.Fatalf("%s: nothing was replaced", name)
		}
		if _, err := datapackage.DecodePublisher([]byte(bad)); !errors.Is(err, portal.ErrRejected) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	later := strings.Replace(string(good), `"version":3`, `"version":3,"x-logo":{"a":1}`, 1)
	if _, err := datapackage.DecodePublisher([]byte(later)); err != nil {
		t.Errorf("what a later version adds: %v", err)
	}
}

func TestTargetPathsAreReadBackAndNothingElseIs(t *testing.T) {
	d := portal.DigestOf(nil)
	for path, want := range map[string]datapackage.Target{
		datapackage.ManifestPath("main_water", 12): {Kind: datapackage.ManifestTarget, Publisher: "main", Dataset: "main_water", Number: 12},
		datapackage.PublisherPath("main", 1):       {Kind: datapackage.PublisherTarget, Publisher: "main", Number: 1},
	} {
		if got, err := datapackage.ParseTargetPath(path); got != want || err != nil {
			t.Errorf("%s: %+v, %v", path, got, err)
		}
	}
	for got, want := range map[string]string{
		datapackage.ManifestFile("main_water", 12, d): "d/main/water/" + d.Hex() + ".12.json",
		datapackage.PublisherFile("main", 1, d):       "d/main/_publisher/" + d.Hex() + ".1.json",
		datapackage.ObjectFile(d):                     "objects/e3/" + d.Hex() + ".zst",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for _, bad := range []string{
		"", "d/main/water", "d/main/water/1.json/x", "e/main/water/1.json", "d/main/water/0.json", "d/main/water/01.json", "d/main/water/+1.json",
		"d/main/water/-1.json", "d/main/water/1", "d/main/water/1.JSON", "d/main/Water/1.json", "d/root/water/1.json", "d//water/1.json", "d/main//1.json",
		"d/main/../1.json", "d/main/_other/1.json", "d/main/water/1000000000.json", "/d/main/water/1.json", "d/main/water/" + d.Hex() + ".1.json",
	} {
		if got, err := datapackage.ParseTargetPath(bad); err == nil {
			t.Errorf("%q is read as %+v", bad, got)
		}
	}
}

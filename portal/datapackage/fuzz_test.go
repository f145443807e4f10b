package datapackage_test

import (
	"bytes"
	"errors"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"koprik/portal"
	"koprik/portal/datapackage"
)

// rejection fails the test when err is anything but a rejection.
func rejection(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, portal.ErrRejected) {
		t.Fatalf("not a rejection: %v", err)
	}
	_ = err.Error()
}

func FuzzDecode(f *testing.F) {
	for _, r := range goldens() {
		b, err := datapackage.Encode(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	schema := ourSchema(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := datapackage.Decode(data)
		if err != nil {
			rejection(t, err)
			return
		}
		if err := conforms(t, schema, data); err != nil {
			t.Fatalf("Decode takes what the schema refuses: %v", err)
		}
		b, err := datapackage.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		again, err := datapackage.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(r, again); d != "" {
			t.Fatal(d)
		}
	})
}

func FuzzDecodePublisher(f *testing.F) {
	b, err := datapackage.EncodePublisher(office())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := datapackage.DecodePublisher(data)
		if err != nil {
			rejection(t, err)
			return
		}
		first, err := datapackage.EncodePublisher(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := datapackage.DecodePublisher(first)
		if err != nil {
			t.Fatal(err)
		}
		if second, err := datapackage.EncodePublisher(again); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%s\n%s\n%v", first, second, err)
		}
	})
}

func FuzzParsePassport(f *testing.F) {
	f.Add([]byte(doctors))
	f.Add([]byte("a: &a [*a]"))
	f.Add(datapackage.WritePassport(datapackage.Draft{}))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := datapackage.ParsePassport(data, "fuzz")
		if err != nil {
			rejection(t, err)
			return
		}
		file := datapackage.WritePassport(d)
		again, err := datapackage.ParsePassport(file, "fuzz")
		if err != nil {
			t.Fatalf("%v\n%s", err, file)
		}
		if diff := cmp.Diff(d, again); diff != "" {
			t.Fatalf("%s\n%s", diff, file)
		}
	})
}

// FuzzLoad reads a descriptor, with a schema and a passport beside it.
func FuzzLoad(f *testing.F) {
	f.Add(true, []byte(v1), []byte(`{"fields":[{"name":"a"}]}`), []byte(""))
	f.Add(false, []byte("name: a\nresources: [{name: a, path: a.csv, schema: s.json, hash: 'md5:00'}]"), []byte("{}"), []byte(doctors))
	f.Fuzz(func(t *testing.T, json bool, descriptor, schema, passport []byte) {
		name := map[bool]string{true: "datapackage.json", false: "datapackage.yaml"}[json]
		fsys := fstest.MapFS{name: {Data: descriptor}, "s.json": {Data: schema}, "schema/t.json": {Data: schema}, "a.csv": {Data: []byte("a\n")}, "data/2024.csv": {}, "data/2025.csv": {}}
		if len(passport) > 0 {
			fsys["passport.yaml"] = &fstest.MapFile{Data: passport}
		}
		d, err := datapackage.Load(fsys, ".")
		if err != nil {
			rejection(t, err)
			return
		}
		if len(d.Files) != len(d.Release.Resources) {
			t.Fatalf("%d files for %d resources", len(d.Files), len(d.Release.Resources))
		}
		if _, err := portal.NewDatasetID("x", d.Name); err != nil {
			t.Fatal(err)
		}
		if problems := d.Release.ValidateContent(); len(problems) > 0 {
			t.Fatal(problems)
		}
	})
}

package tuf

import (
	"bytes"
	"errors"
	"testing"
)

// What a Parse function accepts has a canonical form that is read the same.
func fuzzParse[T any](f *testing.F, kind string, parse func([]byte) (T, error), sign func(T, ...PrivateKey) ([]byte, error)) {
	r := newRepo(f)
	for _, b := range [][]byte{r.rootFile(), r.timestampFile(), r.snapshotFile(), r.targetsFile(), r.pubFile("main")} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := parse(b)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatal(err)
			}
			return
		}
		one, err := sign(x, testKey(1))
		if err != nil {
			return // read generously, written strictly: a key under another id
		}
		y, err := parse(one)
		if err != nil {
			t.Fatalf("%s does not read what it wrote: %v\n%s", kind, err, one)
		}
		if two, err := sign(y, testKey(1)); err != nil || !bytes.Equal(one, two) {
			t.Fatalf("%v\n%s\n%s", err, one, two)
		}
	})
}

func FuzzParseRoot(f *testing.F)      { fuzzParse(f, "root", ParseRoot, SignRoot) }
func FuzzParseTimestamp(f *testing.F) { fuzzParse(f, "timestamp", ParseTimestamp, SignTimestamp) }
func FuzzParseSnapshot(f *testing.F)  { fuzzParse(f, "snapshot", ParseSnapshot, SignSnapshot) }
func FuzzParseTargets(f *testing.F)   { fuzzParse(f, "targets", ParseTargets, SignTargets) }

func FuzzParsePrivateKey(f *testing.F) {
	f.Add(testKey(1).MarshalPEM())
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := ParsePrivateKey(b)
		if err != nil {
			return
		}
		if back, err := ParsePrivateKey(k.MarshalPEM()); err != nil || back != k {
			t.Fatal(err)
		}
	})
}

// What the strict decoder accepts keeps its canonical form.
func FuzzParseJSON(f *testing.F) {
	for _, text := range []string{`{"a":[1,-0,"\u00e9\\\"",true]}`, `[[]]`, `{"\ud83d\ude00":"\/"}`, ` 1 `, `"\ufffd"`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := parseJSON(b)
		if err != nil {
			return
		}
		one, err := appendCanonical(nil, v)
		if err != nil {
			return
		}
		if v, err = parseJSON(one); err != nil {
			return // a raw control character
		}
		if two, err := appendCanonical(nil, v); err != nil || !bytes.Equal(one, two) {
			t.Fatalf("%v\n%q\n%q", err, one, two)
		}
	})
}

// No bytes are taken for a timestamp that its key did not sign.
func FuzzUpdateTimestamp(f *testing.F) {
	r := newRepo(f)
	r.next()
	f.Add(r.timestampFile())
	signed := signedPart(f, r.timestampFile())
	s := newRepo(f).walked()
	f.Fuzz(func(t *testing.T, b []byte) {
		was := dump(s)
		if err := s.UpdateTimestamp(b, before); err != nil {
			if dump(s) != was {
				t.Fatal("an error changed the set")
			}
			return
		}
		s = newRepo(t).walked()
		e, err := open(b, "timestamp", &wireTimestamp{Timestamp: &Timestamp{}}, nil)
		if err != nil || string(e.canonical) != signed {
			t.Fatalf("accepted: %v %s", err, b)
		}
	})
}

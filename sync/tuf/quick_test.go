package tuf

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
)

// bothWays reads a targets file quickly and generally, and says when the quick
// way takes what the general one refuses or reads otherwise.
func bothWays(b []byte) (quick bool, problem string) {
	q, g := &wireTargets{Targets: &Targets{}}, &wireTargets{Targets: &Targets{}}
	qe, ge := &envelope{Signed: q}, &envelope{Signed: g}
	if !quickTargets(b, qe, q) {
		return false, ""
	}
	errQuick, errGeneral := qe.check(), ge.general(b, "targets")
	switch {
	case (errQuick == nil) != (errGeneral == nil):
		return true, fmt.Sprintf("quick %v, general %v", errQuick, errGeneral)
	case errQuick != nil:
		return true, ""
	case !bytes.Equal(qe.canonical, ge.canonical) || qe.version != ge.version || !qe.expires.Equal(ge.expires):
		return true, "another canonical form, version or expiry"
	case len(qe.Signatures)+len(ge.Signatures) > 0 && !reflect.DeepEqual(qe.Signatures, ge.Signatures):
		return true, "other signatures"
	case !q.Expires.Equal(g.Expires) || q.Version != g.Version || !reflect.DeepEqual(q.Targets.Targets, g.Targets.Targets):
		return true, "other targets"
	}
	return true, ""
}

func quickSample(t testing.TB, n int) []byte {
	targets := map[string]Target{}
	for i := range n {
		path := fmt.Sprintf("d/water/indicator-%d/%d.json", i, i%9+1)
		targets[path] = Target{Length: int64(i), SHA256: sha256.Sum256([]byte(path))}
	}
	b, err := SignTargets(Targets{Version: 7, Expires: expires, Targets: targets}, testKey(1), testKey(2))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestTheQuickReaderReadsWhatTheGeneralOneReads: what SignTargets writes is read
// quickly; of every file that differs in some bytes, the quick way reads only what
// the general one reads, as it does.
func TestTheQuickReaderReadsWhatTheGeneralOneReads(t *testing.T) {
	for _, n := range []int{0, 1, 40} {
		if quick, problem := bothWays(quickSample(t, n)); !quick || problem != "" {
			t.Errorf("%d targets: read quickly %v; %s", n, quick, problem)
		}
	}
	sample := quickSample(t, 3)
	rng := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // repeatable
	letters := []byte("\"\\{}[]:,0123456789aAzZ/. \n\x00\x7f\xff-")
	for i := range sample {
		for range 12 {
			b := bytes.Clone(sample)
			switch rng.IntN(3) {
			case 0:
				b[i] = letters[rng.IntN(len(letters))]
			case 1:
				b = append(b[:i:i], sample[i+1:]...)
			default:
				b = append(append(b[:i:i], letters[rng.IntN(len(letters))]), sample[i:]...)
			}
			if _, problem := bothWays(b); problem != "" {
				t.Fatalf("byte %d: %s\n%s", i, problem, b)
			}
		}
	}
}

func TestTheQuickWriterWritesWhatTheGeneralOneWrites(t *testing.T) {
	targets := Targets{Version: 3, Expires: expires, Targets: map[string]Target{
		"d/a/b/1.json": {Length: 1, SHA256: sha256.Sum256(nil)}, `d/a/"q\"/1.json`: {SHA256: sha256.Sum256(nil)}, "d/a/<&>/1.json": {Length: 9, SHA256: sha256.Sum256(nil)},
	}}
	quick, ok := quickCanonical(&targets)
	// An empty list of delegations goes the general way, and is cut out again.
	general, err := canonical("targets", &wireTargets{&targets, &wireDelegations{map[string]Key{}, []Delegation{}}})
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	general = bytes.Replace(general, []byte(`"delegations":{"keys":{},"roles":[]},`), nil, 1)
	if !bytes.Equal(quick, general) {
		t.Errorf("quick\n%s\ngeneral\n%s", quick, general)
	}
}

func FuzzQuickTargets(f *testing.F) {
	f.Add(quickSample(f, 2))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, problem := bothWays(b); problem != "" {
			t.Fatalf("%s\n%s", problem, b)
		}
	})
}

// BenchmarkReadTargets reads a role of 10,000 datasets.
func BenchmarkReadTargets(b *testing.B) {
	sample := quickSample(b, 10_000)
	b.Run("quick", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ParseTargets(sample); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("general", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := (&envelope{Signed: &wireTargets{Targets: &Targets{}}}).general(sample, "targets"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

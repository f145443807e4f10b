package tuf

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/cjson"
	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// Valid metadata is changed at random and signed again with its own keys, as a
// careless or hostile holder of them would. What we accept, go-tuf accepts, or
// docs/reference/tuf.md lists the difference.

// stages are the files of a whole walk, in its order: the second root, and what
// it leads to. A case changes one of them.
var stages = []string{"root", "timestamp", "snapshot", "targets", "main"}

// duel holds both verifiers before each stage.
type duel struct {
	files  [][]byte
	signed []string
	keys   [][]signer
	ours   []*Set
	theirs []*trustedmetadata.TrustedMetadata
}

func (d *duel) us(s *Set, stage int, b []byte) error {
	switch stages[stage] {
	case "root":
		return s.UpdateRoot(b)
	case "timestamp":
		return s.UpdateTimestamp(b, before)
	case "snapshot":
		return s.UpdateSnapshot(b, before)
	case "targets":
		return s.UpdateTargets(b, before)
	}
	return s.UpdateDelegated(stages[stage], b, before)
}

func (d *duel) them(m *trustedmetadata.TrustedMetadata, stage int, b []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("go-tuf panics: %v", p)
		}
	}()
	switch stages[stage] {
	case "root":
		_, err = m.UpdateRoot(b)
	case "timestamp":
		_, err = m.UpdateTimestamp(b)
	case "snapshot":
		_, err = m.UpdateSnapshot(b, false)
	case "targets":
		_, err = m.UpdateTargets(b)
	default:
		_, err = m.UpdateDelegatedTargets(b, stages[stage], "targets")
	}
	return err
}

func copyOurs(s *Set) *Set {
	c := *s
	c.held = maps.Clone(s.held)
	return &c
}

func copyTheirs(m *trustedmetadata.TrustedMetadata) *trustedmetadata.TrustedMetadata {
	c := *m
	c.Targets = maps.Clone(m.Targets)
	return &c
}

func newDuel(tb testing.TB) *duel {
	r := newRepo(tb)
	first := r.rootFile()
	r.rootRole("root", 2, testKey(1), testKey(31), testKey(32))
	r.rootRole("targets", 2, testKey(4), testKey(41), testKey(42))
	r.root.Version, r.time.Version, r.snap.Version = 2, 7, 6
	r.top.Keys, r.signers["main"] = keyMap(testKey(5), testKey(51)), []PrivateKey{testKey(5), testKey(51)}
	r.top.Roles[0] = delegate("main", 1, testKey(5), testKey(51))
	d := &duel{files: [][]byte{r.rootFile(), r.timestampFile(), r.snapshotFile(), r.targetsFile(), r.pubFile("main")}}
	s, err := NewSet(first)
	if err != nil {
		tb.Fatal(err)
	}
	m, err := trustedmetadata.New(first)
	if err != nil {
		tb.Fatal(err)
	}
	m.RefTime = before.Now
	for i, name := range stages {
		d.ours, d.theirs = append(d.ours, copyOurs(s)), append(d.theirs, copyTheirs(m))
		d.keys, d.signed = append(d.keys, ready(r.signers[name])), append(d.signed, signedPart(tb, d.files[i]))
		if err := d.us(s, i, d.files[i]); err != nil {
			tb.Fatal(err)
		}
		if err := d.them(m, i, d.files[i]); err != nil {
			tb.Fatal(err)
		}
	}
	return d
}

// fight puts b in the place of one file, and walks on to the end with both. A
// refusal of ours ends it; one of theirs that isn't ours is the answer.
func (d *duel) fight(stage int, b []byte) (accepted bool, theirs error) {
	s := copyOurs(d.ours[stage])
	if d.us(s, stage, b) != nil {
		return false, nil //nolint:nilerr // our refusal is no finding
	}
	m := copyTheirs(d.theirs[stage])
	if err := d.them(m, stage, b); err != nil {
		return true, err
	}
	for next := stage + 1; next < len(stages); next++ {
		if d.us(s, next, d.files[next]) != nil {
			break
		}
		if err := d.them(m, next, d.files[next]); err != nil {
			return true, fmt.Errorf("then %s: %w", stages[next], err)
		}
	}
	return true, nil //nolint:nilerr // as above
}

// seal signs a text as it stands; nil when its form is one that we refuse
// whatever stands around it: nobody needs to sign that.
func (d *duel) seal(stage int, signed string) []byte {
	bare, err := d.shaped(stage, `{"signatures":[],"signed":`+signed+`}`)
	if err != nil {
		return nil
	}
	b := []byte(`{"signatures":[`)
	for i, k := range d.keys[stage] {
		b = fmt.Appendf(b, `%s{"keyid":%q,"sig":"%x"}`, ","[:min(i, 1)], k.id, ed25519.Sign(k.full, bare.canonical))
	}
	return append(append(append(b, `],"signed":`...), signed...), '}')
}

// shaped reads a file as our updates do, before they look at its signatures.
func (d *duel) shaped(stage int, file string) (*envelope, error) {
	var into shape
	switch stages[stage] {
	case "root":
		into = &Root{}
	case "timestamp":
		into = &wireTimestamp{Timestamp: &Timestamp{}}
	case "snapshot":
		into = &Snapshot{}
	default:
		into = &wireTargets{Targets: &Targets{}}
	}
	return open([]byte(file), stages[stage], into, nil)
}

// signer is a key made ready once: a soak signs millions of times.
type signer struct {
	id   string
	full ed25519.PrivateKey
}

func ready(keys []PrivateKey) (all []signer) {
	for _, k := range keys {
		all = append(all, signer{k.Public().ID(), k.ed25519()})
	}
	return all
}

// listed names the difference that docs/reference/tuf.md lists, if this is one.
func listed(stage int, b []byte, theirs error) string {
	says := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(theirs.Error(), p) })
	}
	plain := canonicalOf(b)
	switch {
	case says("unsupported public key type", "PEM decoding failed"), says("encoding/hex") && otherScheme.Match(plain):
		return "keys of other types"
	case says("invalid JSON hex bytes", "encoding/hex") && escape.Match(b):
		return "escapes in hexadecimal"
	case says("invalid JSON hex bytes", "encoding/hex") && otherHash.Match(plain):
		return "hashes of other algorithms"
	case says("floating point number") && largeNumber.Match(plain):
		return "whole numbers of 64 bits"
	case says("not enough signatures") && !signsAsWritten(stage, b):
		return "undefined members"
	}
	return ""
}

var (
	otherScheme = regexp.MustCompile(`"keytype":"ed25519"`)
	escape      = regexp.MustCompile(`\\u00[0-9a-f]{2}`)
	otherHash   = regexp.MustCompile(`"hashes":\{("[^"]*":[^}]*,|"sha[^2]|"[^s])`)
	largeNumber = regexp.MustCompile(`[0-9]{16}`)
)

// canonicalOf is what was signed.
func canonicalOf(b []byte) []byte {
	v, err := parseJSON(b)
	if err != nil {
		return nil
	}
	canonical, _ := appendCanonical(nil, v.(map[string]any)["signed"])
	return canonical
}

// signsAsWritten says whether go-tuf verifies over what was signed. It encodes
// anew what it decoded, and loses members that it doesn't know.
func signsAsWritten(stage int, b []byte) bool {
	var theirs []byte
	switch stages[stage] {
	case "root":
		theirs = encodedAnew(metadata.Root(), b)
	case "timestamp":
		theirs = encodedAnew(metadata.Timestamp(), b)
	case "snapshot":
		theirs = encodedAnew(metadata.Snapshot(), b)
	default:
		theirs = encodedAnew(metadata.Targets(), b)
	}
	return bytes.Equal(canonicalOf(b), theirs)
}

func encodedAnew[T metadata.Roles](m *metadata.Metadata[T], b []byte) []byte {
	m, err := m.FromBytes(b)
	if err != nil {
		return nil
	}
	signed, _ := cjson.EncodeCanonical(m.Signed)
	return signed
}

// bases are the texts that are changed: of every stage the valid one, and those
// of the corpus, which are called <stage>.<what>.json.
func (d *duel) bases(tb testing.TB) [][]string {
	all := make([][]string, len(stages))
	for i, s := range d.signed {
		all[i] = []string{s}
	}
	entries, err := os.ReadDir("testdata/differential")
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile("testdata/differential/" + e.Name())
		if err != nil {
			tb.Fatal(err)
		}
		stage, _, _ := strings.Cut(e.Name(), ".")
		i := slices.Index(stages, stage)
		all[i] = append(all[i], string(bytes.TrimSpace(b)))
	}
	return all
}

// mutator changes texts. What it puts in is what readers of JSON differ about.
type mutator struct {
	*rand.Rand
	known map[string][][2]int // where the tokens of the bases stand
}

// tokens are the places of the tokens of a JSON text.
func (m mutator) tokens(text string) [][2]int {
	if at, ok := m.known[text]; ok {
		return at
	}
	return tokens(text)
}

var bait = []string{
	"null", "true", "false", "0", "-0", "1", "2", "3", "7", "-1", "1.0", "1e0", "9223372036854775807", "9223372036854775808", `""`, `"1"`, `"x"`,
	`"main"`, `"main.json"`, `"root"`, `"targets"`, `"targets.json"`, `"snapshot.json"`, `"ed25519"`, `"ecdsa"`, `"1.0.31"`, `"1.0"`, `"2.0.0"`, "[]", "{}",
	`["d/main/*/*"]`, `["*"]`, `"d/main/*/*"`, `"2030-01-02T03:04:05Z"`, `"2030-01-02T03:04:05+00:00"`, `"2010-01-02T03:04:05Z"`, `"9999-12-31T23:59:59Z"`, `"ʻ"`, `"\u0000"`,
	`{"version":1}`, `{"version":7,"length":5}`, `{"version":1,"hashes":{"sha256":"` + "0000000000000000000000000000000000000000000000000000000000000000" + `"}}`,
	`"x":1`, `"Version":1`, `"version":1`, `"_type":"root"`, `"length":5`, `"hashes":{"md5":"00"}`, `"custom":{"a":[1,"b"]}`, `"path_hash_prefixes":["00"]`,
	`"succinct_roles":{"keyids":[],"threshold":1,"bit_length":2,"name_prefix":"x"}`, `"expires":"2031-01-01T00:00:00Z"`, `"threshold":2`,
}

func tokens(text string) (at [][2]int) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	for {
		start := int(d.InputOffset())
		for start < len(text) && strings.IndexByte(" \t\r\n,:", text[start]) >= 0 {
			start++
		}
		if _, err := d.Token(); err != nil {
			return at
		}
		at = append(at, [2]int{start, int(d.InputOffset())})
	}
}

// change makes one change: to a token, to a piece between two, or to a byte.
func (m mutator) change(text string) string {
	at := m.tokens(text)
	if len(at) < 2 || m.IntN(8) == 0 {
		i := m.IntN(len(text))
		return text[:i] + string(rune(m.IntN(128))) + text[i+m.IntN(2):]
	}
	a, b := at[m.IntN(len(at))], at[m.IntN(len(at))]
	one := text[a[0]:a[1]]
	put := bait[m.IntN(len(bait))]
	if m.IntN(3) == 0 {
		put = text[b[0]:b[1]] // what stands elsewhere in it
	}
	switch m.IntN(8) {
	case 0: // a member more
		if i := strings.IndexByte(text[a[0]:], '{'); i >= 0 {
			more := put
			if !strings.Contains(put, `":`) || strings.HasPrefix(put, "{") {
				more = fmt.Sprintf(`"x%d":%s`, m.IntN(3), put)
			}
			i += a[0] + 1
			if !strings.HasPrefix(text[i:], "}") {
				more += ","
			}
			return text[:i] + more + text[i:]
		}
	case 1: // white space
		return text[:a[0]] + " \n\t"[m.IntN(3):][:1] + text[a[0]:]
	case 2: // another spelling
		if len(one) > 2 && one[0] == '"' {
			i := 1 + m.IntN(len(one)-2)
			return text[:a[0]] + one[:i] + fmt.Sprintf(`\u%04x`, one[i]) + one[i+1:] + text[a[1]:]
		}
	case 3: // another case
		return text[:a[0]] + strings.ToUpper(one) + text[a[1]:]
	case 4: // a member or element less
		if i := strings.IndexAny(text[a[1]:], ",}]"); i >= 0 && a[0] > 0 {
			return text[:a[0]] + strings.TrimPrefix(text[a[1]+i:], ",")
		}
	case 5: // one number for another
		if one[0] >= '0' && one[0] <= '9' {
			return text[:a[0]] + fmt.Sprint(m.IntN(9)) + text[a[1]:]
		}
	}
	return text[:a[0]] + put + text[a[1]:]
}

// frame changes what stands around the signed part.
func (m mutator) frame(b []byte) []byte {
	text := string(b)
	end := strings.Index(text, `],"signed":`)
	head := text[:end]
	switch m.IntN(6) {
	case 0:
		return []byte(head + `,{"keyid":"x","sig":""}` + text[end:])
	case 1:
		return []byte(`{"x":` + bait[m.IntN(30)] + "," + text[1:])
	case 2:
		return []byte(m.change(head + "]}")[:] + text[end:])
	case 3:
		return append(b, " \n"...)
	}
	return []byte(strings.TrimSuffix(m.change(head+"]}"), "]}") + text[end:])
}

// TestWhatWeAcceptGoTufAccepts runs 10 million mutations under `make soak`, and
// a sample with a printed seed elsewhere.
func TestWhatWeAcceptGoTufAccepts(t *testing.T) {
	count, seed := 16_000, uint64(time.Now().UnixNano())
	if testing.Short() {
		count = 4_000
	}
	soak := os.Getenv("KOPRIK_SOAK") != "" && !raceDetector
	if soak {
		count = 10_000_000
	}
	began, done := time.Now(), atomic.Int64{}
	stop := began.Add(4 * time.Second)
	t.Logf("%d mutations, seed %d", count, seed)
	const workers = 2
	var mu sync.Mutex
	var wait sync.WaitGroup
	accepted, known := 0, map[string]int{}
	for w := range workers {
		wait.Go(func() {
			d, m := newDuel(t), mutator{rand.New(rand.NewPCG(seed, uint64(w))), map[string][][2]int{}}
			bases := d.bases(t)
			for _, text := range slices.Concat(bases...) {
				m.known[text] = tokens(text)
			}
			for i := 0; i < count/workers && (soak || time.Now().Before(stop)); i++ {
				if n := done.Add(1); n%500_000 == 0 {
					t.Logf("%d mutations after %v", n, time.Since(began).Round(time.Second))
				}
				stage := m.IntN(len(stages))
				text := bases[stage][m.IntN(len(bases[stage]))]
				for range 1 + m.IntN(3) {
					text = m.change(text)
				}
				b := d.seal(stage, text)
				if b == nil {
					continue
				}
				if m.IntN(4) == 0 {
					b = m.frame(b)
				}
				ok, theirs := d.fight(stage, b)
				if !ok {
					continue
				}
				mu.Lock()
				accepted++
				if name := ""; theirs != nil {
					if name = listed(stage, b, theirs); name == "" {
						t.Errorf("%s: go-tuf: %v\n%s", stages[stage], theirs, b)
					}
					known[name]++
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	t.Logf("%d mutations were made, %d were accepted; listed differences: %v", done.Load(), accepted, known)
	if accepted == 0 || soak && accepted < count/100 {
		t.Errorf("of %d mutations only %d were accepted: they test nothing", count, accepted)
	}
}

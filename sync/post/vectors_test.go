package post_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"koprik/portal"
	"koprik/sync/post"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew")

// vector is one line of testdata/vectors.json, described in
// docs/reference/receipts.md: everything that a second implementation needs to
// find out that it derives the same.
type vector struct {
	Random     string `json:"random"`
	Repository string `json:"repository"`
	Code       string `json:"code"`
	Slot       string `json:"slot"`
	PublicKey  string `json:"public_key_sha256"`
	Answer     string `json:"answer,omitempty"` // sealed, opens to Opens
	Opens      string `json:"opens,omitempty"`
}

func vectorReceipt(t *testing.T, v vector) (portal.ReceiptCode, post.Receipt) {
	t.Helper()
	random, err := hex.DecodeString(v.Random)
	if err != nil || len(random) != portal.ReceiptRandom {
		t.Fatalf("random %s: %v", v.Random, err)
	}
	repository, err := portal.ParseDigest(v.Repository)
	if err != nil {
		t.Fatal(err)
	}
	code := portal.NewReceiptCode([portal.ReceiptRandom]byte(random))
	r, err := post.Derive(code, repository)
	if err != nil {
		t.Fatal(err)
	}
	return code, r
}

func makeVectors(t *testing.T, file string) {
	t.Helper()
	first, second := sha256.Sum256([]byte("first")), sha256.Sum256([]byte("second"))
	vs := []vector{
		{Random: "000000000000000000000000", Repository: hex.EncodeToString(first[:])},
		{Random: "7fffffffffffffffffffffff", Repository: hex.EncodeToString(first[:])},
		{Random: "0123456789abcdef01234567", Repository: hex.EncodeToString(first[:])},
		{Random: "0123456789abcdef01234567", Repository: hex.EncodeToString(second[:])},
	}
	for i := range vs {
		code, r := vectorReceipt(t, vs[i])
		sum := sha256.Sum256(r.PublicKey)
		vs[i].Code, vs[i].Slot, vs[i].PublicKey = code.Reveal(), r.Slot.String(), hex.EncodeToString(sum[:])
		sealed, err := post.SealAnswer(r.PublicKey, r.Slot, answer())
		if err != nil {
			t.Fatal(err)
		}
		vs[i].Answer, vs[i].Opens = hex.EncodeToString(sealed), answer().Text
	}
	b, err := json.MarshalIndent(vs, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(b, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestEveryKioskDerivesTheSame(t *testing.T) {
	file := filepath.Join("testdata", "vectors.json")
	if *update {
		makeVectors(t, file)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var vs []vector
	if err := json.Unmarshal(b, &vs); err != nil {
		t.Fatal(err)
	}
	for _, v := range vs {
		code, r := vectorReceipt(t, v)
		sum := sha256.Sum256(r.PublicKey)
		if code.Reveal() != v.Code || r.Slot.String() != v.Slot || hex.EncodeToString(sum[:]) != v.PublicKey {
			t.Errorf("%s: code %s, slot %s, key %x", v.Random, code.Reveal(), r.Slot, sum)
		}
		sealed, err := hex.DecodeString(v.Answer)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := r.OpenAnswer(sealed); err != nil || a.Text != v.Opens {
			t.Errorf("%s: opens to %q, %v", v.Random, a.Text, err)
		}
	}
}

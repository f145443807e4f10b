// Package post is the way back from a citizen to an office and the way of the
// answer to any kiosk: it derives keys from a receipt's code, seals inquiries to
// the centre and answers to the receipt. The forms are those of
// spec/talkback.md, "Receipts"; docs/reference/receipts.md has them to the byte,
// with test vectors.
package post

import (
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"golang.org/x/crypto/argon2"

	"koprik/portal"
)

// The cost of deriving keys from a code: OWASP's second choice for Argon2id. One
// derivation takes 19 MiB for a moment; how many run at once is the caller's care.
const (
	argonTime   = 2
	argonMemory = 19 * 1024 // KiB
	argonLanes  = 1
	prkSize     = 32
	seedSize    = 32
)

// The one suite of HPKE: MLKEM768-X25519, HKDF-SHA256, ChaCha20-Poly1305.
var (
	kem  = hpke.MLKEM768X25519()
	kdf  = hpke.HKDFSHA256()
	aead = hpke.ChaCha20Poly1305()
)

// Sizes of what a receipt derives and of a public key, in bytes.
const (
	SlotSize      = 16
	PublicKeySize = 1216
	overhead      = 1120 + 16 // encapsulated key and tag
)

// Slot is where an answer lies: derived from the code, it tells nothing of it.
type Slot [SlotSize]byte

// String gives the slot in lower-case hexadecimal.
func (s Slot) String() string { return hex.EncodeToString(s[:]) }

// Bucket names the file of answers that a slot belongs to, one of 256: "00" to "ff".
func (s Slot) Bucket() string { return s.String()[:2] }

// Receipt is what a code derives in one repository: the slot of its answer and
// the key that opens it. It exists for a moment and is never kept.
type Receipt struct {
	Slot      Slot
	PublicKey []byte // PublicKeySize bytes; travels sealed with the inquiry
	key       hpke.PrivateKey
}

// Derive makes slot and keys from a code. Every kiosk derives the same for one
// repository, and other ones for another. It takes about 20 ms and 19 MiB.
func Derive(code portal.ReceiptCode, repository portal.Digest) (Receipt, error) {
	if code.IsZero() {
		return Receipt{}, portal.Rejected("receipt", "no code was given")
	}
	salt := append([]byte("koprik receipt v1\x00"), repository[:]...)
	prk := argon2.IDKey([]byte(code.Norm()), salt, argonTime, argonMemory, argonLanes, prkSize)
	slot, err := hkdf.Expand(sha256.New, prk, "koprik/receipt/v1/slot", SlotSize)
	if err != nil {
		return Receipt{}, fmt.Errorf("derive slot: %w", err)
	}
	seed, err := hkdf.Expand(sha256.New, prk, "koprik/receipt/v1/answer-kem-seed", seedSize)
	if err != nil {
		return Receipt{}, fmt.Errorf("derive seed: %w", err)
	}
	key, err := kem.DeriveKeyPair(seed)
	if err != nil {
		return Receipt{}, fmt.Errorf("derive key pair: %w", err)
	}
	return Receipt{Slot: Slot(slot), PublicKey: key.PublicKey().Bytes(), key: key}, nil
}

// Format keeps keys out of logs, whatever the verb.
func (r Receipt) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("(receipt)")) }

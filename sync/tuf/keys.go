package tuf

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Key is a public key as metadata states it. Only Type and Scheme "ed25519"
// verify here, with 32 bytes in lower-case hexadecimal; a key of another type
// is carried and verifies nothing, so that a publisher who moves to a newer
// scheme is suspended on old mirrors and harms nobody else. A general Set
// asks its Verifier.
type Key struct {
	Type   string   `json:"keytype"`
	Scheme string   `json:"scheme"`
	Value  KeyValue `json:"keyval"`
}

// KeyValue is what makes one key differ from another.
type KeyValue struct {
	Public string `json:"public"`
}

// ID returns the TUF key id: the SHA-256, in hexadecimal, of the key's
// canonical JSON.
func (k Key) ID() string {
	b, _ := appendCanonical(nil, map[string]any{ // of strings only: no error
		"keytype": k.Type, "scheme": k.Scheme, "keyval": map[string]any{"public": k.Value.Public}})
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// raw returns the key's bytes, nil for a type that is only carried. The length
// is checked because crypto/ed25519 panics on any other than 32.
func (k Key) raw() (ed25519.PublicKey, error) {
	if k.Type != "ed25519" || k.Scheme != "ed25519" {
		return nil, nil
	}
	raw, err := lowerHex(k.Value.Public)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("ed25519 key %.80q: want 64 lower-case hexadecimal digits", k.Value.Public)
	}
	return raw, nil
}

// Verifier says whether a signature was made with a key of another type.
type Verifier func(k Key, message, sig []byte) bool

func (k Key) verifies(message []byte, sig string, other Verifier) bool {
	public, err := k.raw()
	raw, errSig := lowerHex(sig)
	if err != nil || errSig != nil || public == nil && other == nil {
		return false
	}
	return public == nil && other(k, message, raw) || public != nil && ed25519.Verify(public, message, raw)
}

// PrivateKey signs metadata. The zero value signs nothing. Printing one shows
// its key id only.
type PrivateKey struct {
	seed [ed25519.SeedSize]byte
}

func (k PrivateKey) ed25519() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(k.seed[:]) }

// Sign signs a message that says by its beginning what it is, and is no JSON.
func (k PrivateKey) Sign(message []byte) []byte { return ed25519.Sign(k.ed25519(), message) }

// Verifies says whether sig is what Sign gave with the private half of k.
func (k Key) Verifies(message, sig []byte) bool {
	return k.verifies(message, hex.EncodeToString(sig), nil)
}

// GenerateKey makes an ed25519 key from the system's randomness.
func GenerateKey() (k PrivateKey, err error) {
	_, err = rand.Read(k.seed[:])
	return k, err
}

// ParsePrivateKey reads an unencrypted PKCS #8 PEM block ("PRIVATE KEY") of an ed25519
// key, with nothing but white space after it. No error quotes the key.
func ParsePrivateKey(pemText []byte) (PrivateKey, error) {
	block, rest := pem.Decode(pemText)
	if block == nil || block.Type != "PRIVATE KEY" || len(bytes.TrimSpace(rest)) > 0 {
		return PrivateKey{}, fmt.Errorf("private key: %w: want one PEM block PRIVATE KEY", ErrFormat)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return PrivateKey{}, fmt.Errorf("private key: %w: want ed25519 in PKCS #8", ErrFormat)
	}
	return PrivateKey{[ed25519.SeedSize]byte(key.Seed())}, nil
}

// MarshalPEM returns an unencrypted PKCS #8 PEM block; nil for the zero value.
func (k PrivateKey) MarshalPEM() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(k.ed25519())
	if err != nil || k == (PrivateKey{}) { // an ed25519 key always has this form
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// Public returns the public half; the zero Key for the zero value.
func (k PrivateKey) Public() Key {
	if k == (PrivateKey{}) {
		return Key{}
	}
	return Key{"ed25519", "ed25519", KeyValue{hex.EncodeToString(k.ed25519()[ed25519.SeedSize:])}}
}

// Format keeps the secret out of logs, whatever the verb.
func (k PrivateKey) Format(f fmt.State, _ rune) { fmt.Fprint(f, "private key of ", k.Public().ID()) }

// lowerHex decodes hexadecimal of lower case only: one spelling for one value.
func lowerHex(s string) ([]byte, error) {
	if s != strings.ToLower(s) {
		return nil, errors.New("upper-case hexadecimal")
	}
	return hex.DecodeString(s)
}

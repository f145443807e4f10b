package tuf

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
)

// Key is a public key as metadata states it. Only Type and Scheme "ed25519"
// verify here, with Public as 64 lower-case hexadecimal digits; a key of any
// other type is carried and verifies nothing, so that a publisher who moves
// to a newer scheme is suspended on old mirrors and harms nobody else.
type Key struct {
	Type   string
	Scheme string
	Public string
}

// ID returns the TUF key id: the SHA-256, in hexadecimal, of the key's
// canonical JSON.
func (k Key) ID() string {
	b, err := k.value().appendCanonical(nil)
	if err != nil { // a key holds strings only
		panic(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (k Key) value() value {
	return object(
		member{"keytype", text(k.Type)},
		member{"keyval", object(member{"public", text(k.Public)})},
		member{"scheme", text(k.Scheme)})
}

func (k Key) isEd25519() bool { return k.Type == "ed25519" && k.Scheme == "ed25519" }

// public returns the raw key, checked for length: crypto/ed25519 panics on
// any other than 32 bytes.
func (k Key) public() (ed25519.PublicKey, error) {
	raw, err := lowerHex(k.Public)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%w: ed25519 key %.80q: want 64 lower-case hexadecimal digits", ErrFormat, k.Public)
	}
	return raw, nil
}

func (k Key) verifies(message, sig []byte) bool {
	if !k.isEd25519() {
		return false
	}
	public, err := k.public()
	return err == nil && ed25519.Verify(public, message, sig)
}

// PrivateKey signs metadata. The zero value signs nothing. Printing one shows
// its key id only.
type PrivateKey struct {
	key ed25519.PrivateKey
}

// GenerateKey makes an ed25519 key from the system's randomness.
func GenerateKey() (PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("generate ed25519 key: %w", err)
	}
	return PrivateKey{key}, nil
}

// ParsePrivateKey reads an unencrypted PKCS #8 PEM block ("PRIVATE KEY") that
// holds an ed25519 key, with nothing but white space after it.
func ParsePrivateKey(data []byte) (PrivateKey, error) {
	block, rest := pem.Decode(data)
	if block == nil || block.Type != "PRIVATE KEY" {
		return PrivateKey{}, fmt.Errorf("%w: private key: no PEM block PRIVATE KEY", ErrFormat)
	}
	for _, c := range rest {
		if c != '\n' && c != '\r' && c != ' ' && c != '\t' {
			return PrivateKey{}, fmt.Errorf("%w: private key: something after the PEM block", ErrFormat)
		}
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil { // x509's words may quote the key's bytes
		return PrivateKey{}, fmt.Errorf("%w: private key: not PKCS #8", ErrFormat)
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return PrivateKey{}, fmt.Errorf("%w: private key: not ed25519", ErrFormat)
	}
	return PrivateKey{key}, nil
}

// MarshalPEM returns the key as an unencrypted PKCS #8 PEM block, which
// OpenSSL and ParsePrivateKey read; nil for the zero value.
func (k PrivateKey) MarshalPEM() []byte {
	if k.key == nil {
		return nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(k.key)
	if err != nil { // an ed25519 key always has this form
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// Public returns the public half; the zero Key for the zero value.
func (k PrivateKey) Public() Key {
	if k.key == nil {
		return Key{}
	}
	return Key{Type: "ed25519", Scheme: "ed25519", Public: hex.EncodeToString(k.key[ed25519.SeedSize:])}
}

// Format keeps the secret out of logs, whatever the verb.
func (k PrivateKey) Format(f fmt.State, _ rune) {
	if k.key == nil {
		_, _ = io.WriteString(f, "tuf.PrivateKey(none)")
		return
	}
	_, _ = io.WriteString(f, "tuf.PrivateKey("+k.Public().ID()+")")
}

// lowerHex decodes hexadecimal of lower case only: one spelling for one value.
func lowerHex(s string) ([]byte, error) {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'F' {
			return nil, errors.New("upper-case hexadecimal")
		}
	}
	return hex.DecodeString(s)
}

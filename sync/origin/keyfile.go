package origin

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"koprik/portal"
	"koprik/sync/tuf"
)

// publicPrefix begins the one line that a public key is given away as. A QR code
// holds the same line.
const publicPrefix = "koprik-key:ed25519:"

// MarshalPublic is a public key as one line of text, without its end.
func MarshalPublic(k tuf.Key) string { return publicPrefix + k.Value.Public }

// ParsePublic reads that line; white space around it is allowed.
func ParsePublic(b []byte) (tuf.Key, error) {
	value, ok := strings.CutPrefix(string(bytes.TrimSpace(b)), publicPrefix)
	if !ok || len(value) != 64 || strings.Trim(value, "0123456789abcdef") != "" {
		return tuf.Key{}, fmt.Errorf("is no public key: want one line, %s and 64 hexadecimal digits", publicPrefix)
	}
	return tuf.Key{Type: "ed25519", Scheme: "ed25519", Value: tuf.KeyValue{Public: value}}, nil
}

// sealedType names a PEM block that a passphrase opens.
const sealedType = "KOPRIK SEALED KEY"

// sealedVersion says how a block is sealed, and is authenticated with it:
// Argon2id with 3 passes over 64 MiB makes the key for AES-256-GCM. A board with
// 512 MB opens it in seconds; who guesses pays the same for each guess.
const (
	sealedVersion = "argon2id t=3 m=65536 p=1; aes-256-gcm"
	argonTime     = 3
	argonMemory   = 64 << 10 // KiB
	argonThreads  = 1
	saltSize      = 16
	nonceSize     = 12
)

// ErrPassphrase says that a passphrase does not open a key file, or that the
// file was altered: nobody can tell these apart.
var ErrPassphrase = errors.New("the passphrase does not open it, or it was altered")

// Seal gives a key as text to print and to keep: what a person compares, and a
// PEM block that only the passphrase opens.
func Seal(k tuf.PrivateKey, passphrase []byte) ([]byte, error) {
	head := make([]byte, saltSize+nonceSize)
	if _, err := rand.Read(head); err != nil {
		return nil, err
	}
	aead, err := sealer(passphrase, head[:saltSize])
	if err != nil {
		return nil, err
	}
	body := aead.Seal(head, head[saltSize:], k.MarshalPEM(), []byte(sealedVersion))
	var out bytes.Buffer
	fmt.Fprintf(&out, "Koprik key %s\n%s\n%s\n\n", portal.SixWords(k.Public().ID()), k.Public().ID(), MarshalPublic(k.Public()))
	err = pem.Encode(&out, &pem.Block{Type: sealedType, Headers: map[string]string{"Sealed": sealedVersion}, Bytes: body})
	return out.Bytes(), err
}

func sealer(passphrase, salt []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(argon2.IDKey(passphrase, salt, argonTime, argonMemory, argonThreads, 32))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// KeyFile is what a file about a key holds: the public half, and perhaps the
// private one.
type KeyFile struct {
	Public  tuf.Key
	Private *tuf.PrivateKey
}

// ParseKeyFile reads a public key's line, a key without a passphrase, or a sealed
// one, for which ask is called. An error never quotes the file.
func ParseKeyFile(b []byte, ask func() ([]byte, error)) (KeyFile, error) {
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte(publicPrefix)) {
		k, err := ParsePublic(b)
		return KeyFile{Public: k}, err
	}
	block, rest := pem.Decode(b)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return KeyFile{}, errors.New("is no key file: want a koprik-key line or one PEM block")
	}
	plain := b
	if block.Type == sealedType {
		var err error
		if plain, err = unseal(block, ask); err != nil {
			return KeyFile{}, err
		}
	}
	k, err := tuf.ParsePrivateKey(plain)
	if err != nil {
		return KeyFile{}, err
	}
	return KeyFile{Public: k.Public(), Private: &k}, nil
}

// Sealed tells a key file that needs a passphrase.
func Sealed(b []byte) bool {
	block, _ := pem.Decode(b)
	return block != nil && block.Type == sealedType
}

func unseal(block *pem.Block, ask func() ([]byte, error)) ([]byte, error) {
	if v := block.Headers["Sealed"]; v != sealedVersion {
		return nil, fmt.Errorf("is sealed in a way that this version does not know: %.80q", v)
	}
	if len(block.Bytes) < saltSize+nonceSize {
		return nil, ErrPassphrase
	}
	passphrase, err := ask()
	if err != nil {
		return nil, err
	}
	aead, err := sealer(passphrase, block.Bytes[:saltSize])
	if err != nil {
		return nil, err
	}
	nonce, body := block.Bytes[saltSize:saltSize+nonceSize], block.Bytes[saltSize+nonceSize:]
	plain, err := aead.Open(nil, nonce, body, []byte(sealedVersion))
	if err != nil {
		return nil, ErrPassphrase
	}
	return plain, nil
}

package post

import (
	"bytes"
	"crypto/hpke"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"koprik/portal"
)

// ErrSealed says that a ciphertext does not open with this key: it was sealed
// to another, for another epoch or slot, or was changed on the way.
var ErrSealed = errors.New("does not open with this key")

// buckets are the sizes that plaintexts are padded to, so that a length tells
// an observer next to nothing.
var buckets = [...]int{1 << 10, 2 << 10, 4 << 10, 8 << 10, 16 << 10}

// MaxSealed is the longest ciphertext, in bytes.
const MaxSealed = 16<<10 + overhead

const lengthPrefix = 4

// pad puts a length before b and zeros behind it, up to the next bucket.
func pad(b []byte) ([]byte, error) {
	for _, size := range buckets {
		if lengthPrefix+len(b) <= size {
			padded := make([]byte, size)
			binary.BigEndian.PutUint32(padded, uint32(len(b)))
			copy(padded[lengthPrefix:], b)
			return padded, nil
		}
	}
	return nil, portal.Rejected("text", "is too long to be sealed: %d bytes, at most %d are allowed", len(b), buckets[len(buckets)-1]-lengthPrefix)
}

// unpad takes padding off, and nothing that pad did not make.
func unpad(b []byte) ([]byte, error) {
	if len(b) < lengthPrefix {
		return nil, errors.New("padding: no length")
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-lengthPrefix) {
		return nil, fmt.Errorf("padding: %d bytes in %d", n, len(b)-lengthPrefix)
	}
	body := b[lengthPrefix:][:n]
	again, err := pad(body)
	if err != nil || !bytes.Equal(again, b) {
		return nil, errors.New("padding: is not as it is made")
	}
	return body, nil
}

// Epoch names a quarter in which one sealing key of the centre holds: "2026q4".
type Epoch string

// ParseEpoch accepts exactly that spelling.
func ParseEpoch(s string) (Epoch, error) {
	if len(s) == 6 && s[4] == 'q' && s[5] >= '1' && s[5] <= '4' && digits(s[:4]) {
		return Epoch(s), nil
	}
	return "", fmt.Errorf("epoch %.20q: must be a year and a quarter, as 2026q4", s)
}

func digits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

// EpochOf is the quarter of a day.
func EpochOf(d portal.Date) Epoch {
	t := d.Time()
	return Epoch(fmt.Sprintf("%04dq%d", t.Year(), (int(t.Month())+2)/3))
}

// CentreKey opens what was sealed to a centre in one epoch. It may live on a
// machine without a network.
type CentreKey struct{ key hpke.PrivateKey }

// NewCentreKey makes a key from the system's randomness.
func NewCentreKey() (CentreKey, error) {
	key, err := kem.GenerateKey()
	return CentreKey{key}, err
}

// ParseCentreKey reads what Bytes gave.
func ParseCentreKey(b []byte) (CentreKey, error) {
	key, err := kem.NewPrivateKey(b)
	if err != nil {
		return CentreKey{}, fmt.Errorf("sealing key: %w", err)
	}
	return CentreKey{key}, nil
}

// Bytes is the secret key as it is kept: 32 bytes.
func (k CentreKey) Bytes() ([]byte, error) { return k.key.Bytes() }

// Public is the key that kiosks seal to: PublicKeySize bytes, a target seal/<epoch>.
func (k CentreKey) Public() []byte { return k.key.PublicKey().Bytes() }

// Format keeps the key out of logs, whatever the verb.
func (k CentreKey) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("(sealing key)")) }

// Question is an inquiry as it is sealed: the citizen's words, and where and to
// which key the answer goes.
type Question struct {
	Inquiry   portal.Inquiry
	Slot      Slot
	PublicKey []byte // of the receipt
	Sequence  uint64 // of the node, from 1; a gap or a number used twice shows a cloned or lost node
}

// questionJSON is the part of a sealed question that is JSON; it stands behind
// slot and public key.
type questionJSON struct {
	Kind     portal.InquiryKind `json:"kind"`
	Text     string             `json:"text"`
	Lang     portal.Lang        `json:"language"`
	About    portal.Place       `json:"about,omitzero"`
	Email    string             `json:"email,omitempty"`
	Public   bool               `json:"public,omitempty"`
	Day      portal.Date        `json:"day"`
	Clerk    bool               `json:"clerk,omitempty"`
	Sequence uint64             `json:"sequence"`
	Thread   portal.InquiryID   `json:"thread,omitzero"`
	Useful   portal.Useful      `json:"useful,omitempty"`

	Reuse   *portal.ReuseDetails `json:"reuse,omitempty"`
	CheckIn portal.ReuseState    `json:"check_in,omitempty"`
}

func questionInfo(e Epoch, id portal.InquiryID) []byte {
	return append([]byte("koprik/question/v1"+string(e)), id[:]...)
}

// SealQuestion seals q to a centre's public key of an epoch. An inquiry that is
// not valid is refused as portal.ErrRejected.
func SealQuestion(centre []byte, e Epoch, q Question) ([]byte, error) {
	if err := q.Inquiry.Validate(); err != nil {
		return nil, err
	}
	if _, err := ParseEpoch(string(e)); err != nil {
		return nil, err
	}
	if len(q.PublicKey) != PublicKeySize {
		return nil, fmt.Errorf("receipt's public key: %d bytes, want %d", len(q.PublicKey), PublicKeySize)
	}
	i := q.Inquiry
	words, err := encode(questionJSON{i.Kind, i.Text, i.Lang, i.About, i.Email, i.Public, i.Day, i.Clerk, q.Sequence, i.Thread, i.Useful, i.Reuse, i.CheckIn})
	if err != nil {
		return nil, fmt.Errorf("inquiry: %w", err)
	}
	body := append(append(append([]byte{}, q.Slot[:]...), q.PublicKey...), words...)
	return seal(centre, questionInfo(e, i.ID), body)
}

// OpenQuestion opens what SealQuestion sealed for this key, epoch and id.
// ErrSealed when it does not open; another error when a node sealed what is no
// question: the words then are nobody's to repeat.
func OpenQuestion(k CentreKey, e Epoch, id portal.InquiryID, ct []byte) (Question, error) {
	body, err := open(k.key, questionInfo(e, id), ct)
	if err != nil {
		return Question{}, err
	}
	if len(body) < SlotSize+PublicKeySize {
		return Question{}, errors.New("question: is too short")
	}
	q := Question{Slot: Slot(body[:SlotSize]), PublicKey: bytes.Clone(body[SlotSize:][:PublicKeySize])}
	var words questionJSON
	if err := decode(body[SlotSize+PublicKeySize:], &words); err != nil {
		return Question{}, fmt.Errorf("question: %w", err)
	}
	if _, err := kem.NewPublicKey(q.PublicKey); err != nil {
		return Question{}, fmt.Errorf("question: receipt's public key: %w", err)
	}
	q.Sequence = words.Sequence
	q.Inquiry = portal.Inquiry{
		ID: id, Kind: words.Kind, Text: words.Text, Lang: words.Lang, About: words.About,
		Email: words.Email, Public: words.Public, Day: words.Day, Clerk: words.Clerk, Thread: words.Thread, Useful: words.Useful,
		Reuse: words.Reuse, CheckIn: words.CheckIn,
	}
	return q, q.Inquiry.Validate()
}

func answerInfo(s Slot) []byte { return append([]byte("koprik/answer/v1"), s[:]...) }

// SealAnswer seals an answer, or the state of an inquiry, to a receipt's key.
func SealAnswer(publicKey []byte, s Slot, a portal.Answer) ([]byte, error) {
	if err := a.Validate(); err != nil {
		return nil, err
	}
	body, err := encode(a)
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	return seal(publicKey, answerInfo(s), body)
}

// OpenAnswer opens what lies at the receipt's slot. ErrSealed when it is not for
// this receipt.
func (r Receipt) OpenAnswer(ct []byte) (portal.Answer, error) {
	if r.key == nil {
		return portal.Answer{}, ErrSealed
	}
	body, err := open(r.key, answerInfo(r.Slot), ct)
	if err != nil {
		return portal.Answer{}, err
	}
	var a portal.Answer
	if err := decode(body, &a); err != nil {
		return portal.Answer{}, fmt.Errorf("answer: %w", err)
	}
	return a, a.Validate()
}

func seal(publicKey, info, body []byte) ([]byte, error) {
	pk, err := kem.NewPublicKey(publicKey)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	padded, err := pad(body)
	if err != nil {
		return nil, err
	}
	ct, err := hpke.Seal(pk, kdf, aead, info, padded)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return ct, nil
}

func open(key hpke.PrivateKey, info, ct []byte) ([]byte, error) {
	if len(ct) > MaxSealed {
		return nil, fmt.Errorf("%d bytes, at most %d: %w", len(ct), MaxSealed, ErrSealed)
	}
	padded, err := hpke.Open(key, kdf, aead, info, ct)
	if err != nil {
		return nil, ErrSealed // why is nobody's business
	}
	return unpad(padded)
}

// encode writes one JSON value, with letters as they are: a byte counts here.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// decode reads one JSON value and nothing behind it, without unknown fields.
// What stands in it came from one sealer and is read by this one reader.
func decode(b []byte, into any) error {
	if !utf8.Valid(b) {
		return errors.New("is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("is not as it is written: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("goes on behind its end")
	}
	return nil
}

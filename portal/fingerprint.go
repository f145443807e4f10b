package portal

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// The letters that the words of a fingerprint are made of: a list of 2,048 words
// of our own, which needs no table. A word has five letters, consonant and vowel
// in turn, and carries 11 bits: 3, 2, 3, 2 and 1. It can be read aloud in any of
// the portal's languages and means nothing in them; there is no o, which Russian
// says as a where it is not stressed.
const (
	wordFirst  = "bdlmnrtz"
	wordVowel  = "aeiu"
	wordMiddle = "blmnrtvz"
	wordLast   = "nr"
)

// fingerprintWords is how many words a fingerprint has: 66 bits. Who wants
// another key with the same words makes 2^66 keys.
const fingerprintWords = 6

// Word is the i-th word of the list, from 0 to 2047.
func Word(i int) string {
	i &= 1<<11 - 1
	return string([]byte{
		wordFirst[i>>8], wordVowel[i>>6&3], wordMiddle[i>>3&7], wordVowel[i>>1&3], wordLast[i&1],
	})
}

// SixWords is the fingerprint of a key for people: the first 66 bits of its key
// id (a SHA-256 in hexadecimal) as six words with spaces between them. What is no
// key id gives "".
func SixWords(keyID string) string {
	raw, err := hex.DecodeString(keyID)
	if err != nil || len(raw) != len(Digest{}) {
		return ""
	}
	words := make([]string, fingerprintWords)
	for w := range words {
		n := 0
		for bit := w * 11; bit < w*11+11; bit++ {
			n = n<<1 | int(raw[bit/8]>>(7-bit%8)&1)
		}
		words[w] = Word(n)
	}
	return strings.Join(words, " ")
}

// CheckWords compares what a person read aloud with a key's six words. Case and
// spaces do not count.
func CheckWords(keyID, said string) error {
	want := SixWords(keyID)
	if got := strings.Join(strings.Fields(strings.ToLower(said)), " "); want == "" || got != want {
		return fmt.Errorf("the words %q are not those of this key: %q", said, want)
	}
	return nil
}

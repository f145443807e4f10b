package origin_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"koprik/portal"
	"koprik/sync/origin"
	"koprik/sync/tuf"
)

func asking(passphrase string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(passphrase), nil }
}

func refuses(t *testing.T) func() ([]byte, error) {
	return func() ([]byte, error) {
		t.Error("a passphrase is asked for")
		return nil, errors.New("none")
	}
}

func TestSealedKeyComesBackWithItsPassphraseAlone(t *testing.T) {
	k, err := tuf.GenerateKey()
	must(t, err)
	text, err := origin.Seal(k, []byte("olma anor uzum"))
	must(t, err)
	if !origin.Sealed(text) || !bytes.Contains(text, []byte(portal.SixWords(k.Public().ID()))) {
		t.Errorf("%s", text)
	}
	if seed := strings.Split(string(k.MarshalPEM()), "\n")[1]; bytes.Contains(text, []byte(seed)) {
		t.Error("the key stands there in the clear")
	}
	got, err := origin.ParseKeyFile(text, asking("olma anor uzum"))
	must(t, err)
	if got.Private == nil || got.Public != k.Public() || got.Private.Public() != k.Public() {
		t.Error("another key came back")
	}
	for _, wrong := range []string{"", "olma anor", "olma anor uzum "} {
		if _, err := origin.ParseKeyFile(text, asking(wrong)); !errors.Is(err, origin.ErrPassphrase) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	again, err := origin.Seal(k, []byte("olma anor uzum"))
	must(t, err)
	if bytes.Equal(text, again) {
		t.Error("two seals are alike")
	}
}

func TestAlteredSealOpensNothing(t *testing.T) {
	k, err := tuf.GenerateKey()
	must(t, err)
	text, err := origin.Seal(k, []byte("olma anor uzum"))
	must(t, err)
	for _, c := range []struct{ what, from, to string }{
		{"cheaper guesses", "m=65536", "m=8"},
		{"a torn block", "-----END KOPRIK SEALED KEY-----", ""},
		{"something after it", "-----END KOPRIK SEALED KEY-----", "-----END KOPRIK SEALED KEY-----\nmore"},
	} {
		altered := strings.Replace(string(text), c.from, c.to, 1)
		if _, err := origin.ParseKeyFile([]byte(altered), asking("olma anor uzum")); err == nil {
			t.Errorf("%s: taken", c.what)
		}
	}
	lines := strings.Split(string(text), "\n")
	body := []byte(lines[len(lines)-4])
	body[5] ^= 1
	lines[len(lines)-4] = string(body)
	if _, err := origin.ParseKeyFile([]byte(strings.Join(lines, "\n")), asking("olma anor uzum")); err == nil {
		t.Error("a flipped bit: taken")
	}
}

func TestPublicKeyIsOneLine(t *testing.T) {
	_, public := newKeys(t, 1)
	line := origin.MarshalPublic(public[0])
	got, err := origin.ParseKeyFile([]byte(" "+line+"\r\n"), refuses(t))
	must(t, err)
	if got.Public != public[0] || got.Private != nil || got.Public.ID() != public[0].ID() {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{
		"", "koprik-key:", line[:len(line)-1], line + "0", line + "\n" + line, strings.ToUpper(line), "rsa" + line,
		strings.Replace(line, "ed25519:", "ed25519:+", 1),
	} {
		if _, err := origin.ParseKeyFile([]byte(bad), refuses(t)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func FuzzParseKeyFile(f *testing.F) {
	k, err := tuf.GenerateKey()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(origin.MarshalPublic(k.Public())))
	f.Add(k.MarshalPEM())
	f.Add([]byte("-----BEGIN KOPRIK SEALED KEY-----\nSealed: x\n\nAAAA\n-----END KOPRIK SEALED KEY-----\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := origin.ParseKeyFile(b, func() ([]byte, error) { return nil, errors.New("nobody") })
		if err != nil {
			return
		}
		again, err := origin.ParsePublic([]byte(origin.MarshalPublic(got.Public)))
		if err != nil || again != got.Public {
			t.Errorf("%q: %+v, then %+v, %v", b, got.Public, again, err)
		}
	})
}

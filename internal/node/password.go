package node

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// The effort of one try of a password: 19 MiB, two passes, one lane (OWASP
// Password Storage Cheat Sheet, argon2id). Passwords kept with less are kept anew
// when their account signs in.
const (
	passwordMemory = 19 * 1024 // KiB
	passwordTime   = 2
	passwordLanes  = 1
	passwordSize   = 32
	passwordSalt   = 16
)

// hashPassword gives a password as it is kept, in the PHC string format:
// "$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>". Characters that look the same
// and are written differently are the same (NFC, RFC 8265 section 4.2).
func hashPassword(password string) (string, error) {
	salt := make([]byte, passwordSalt)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	hash := argon2.IDKey(norm.NFC.Bytes([]byte(password)), salt, passwordTime, passwordMemory, passwordLanes, passwordSize)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, passwordMemory, passwordTime, passwordLanes, b64(salt), b64(hash)), nil
}

// checkPassword tells whether a password is the one that was kept, and whether
// that was done with less effort than now. What is no hash fits nothing, and is
// found out in the time of a try.
func checkPassword(kept, password string) (fits, weak bool) {
	h, ok := parsePassword(kept)
	if !ok {
		h = keptPassword{memory: passwordMemory, time: passwordTime, lanes: passwordLanes, salt: make([]byte, passwordSalt), hash: make([]byte, passwordSize)}
	}
	got := argon2.IDKey(norm.NFC.Bytes([]byte(password)), h.salt, h.time, h.memory, h.lanes, passwordSize)
	same := subtle.ConstantTimeCompare(got, h.hash) == 1
	return ok && same, h.memory < passwordMemory || h.time < passwordTime
}

type keptPassword struct {
	memory, time uint32
	lanes        uint8
	salt, hash   []byte
}

// parsePassword reads what hashPassword wrote. An effort that would take the
// node's memory or time is no hash of ours.
func parsePassword(kept string) (h keptPassword, ok bool) {
	const most = 16 // times the effort of today
	parts := strings.Split(kept, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return h, false
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.lanes); err != nil || n != 3 {
		return h, false
	}
	if h.memory == 0 || h.memory > most*passwordMemory || h.time == 0 || h.time > most*passwordTime || h.lanes == 0 || h.lanes > most {
		return h, false
	}
	var errs [2]error
	h.salt, errs[0] = base64.RawStdEncoding.DecodeString(parts[4])
	h.hash, errs[1] = base64.RawStdEncoding.DecodeString(parts[5])
	return h, errs[0] == nil && errs[1] == nil && len(h.salt) >= 8 && len(h.hash) == passwordSize
}

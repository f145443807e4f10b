package node

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"koprik/portal"
)

// The second factor: codes of six digits that change every 30 seconds (RFC 6238,
// the profile that every authenticator knows), one step to either side for
// clocks that differ, and ten codes on paper that stand in for it once each.
const (
	factorPeriod   = 30 // seconds
	factorSkew     = 1  // steps
	recoveryCodes  = 10
	recoveryLength = 10 // symbols of Crockford's base32: 50 bits
)

var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// NewSecondFactor makes a second factor for an account. It counts from
// ConfirmSecondFactor on.
func (n *Node) NewSecondFactor(name string) (portal.SecondFactor, error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: n.config.Title, AccountName: name, Period: factorPeriod, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return portal.SecondFactor{}, err
	}
	return portal.SecondFactor{Secret: key.Secret(), Address: key.URL()}, nil
}

// ConfirmSecondFactor sets a second factor for which somebody has shown a code,
// ends all sessions of the account, and gives the codes that stand in for it. A
// wrong code is portal.ErrRejected.
func (n *Node) ConfirmSecondFactor(ctx context.Context, name, secret, code string) (recovery []string, err error) {
	defer named(n.dir, &err)
	step, ok := factorStep(secret, code, n.Now())
	if !ok {
		return nil, portal.Rejected("code", "is not the one that the authenticator shows now")
	}
	digests := make([]portal.Digest, recoveryCodes)
	for i := range digests {
		random := make([]byte, 8)
		if _, err := rand.Read(random); err != nil {
			return nil, err
		}
		recovery = append(recovery, crockford.EncodeToString(random)[:recoveryLength])
		digests[i] = recoveryDigest(name, recovery[i])
	}
	return recovery, n.local.SetTOTP(ctx, name, secret, step, digests)
}

// RemoveSecondFactor takes it away: the telephone is lost, and the paper too.
func (n *Node) RemoveSecondFactor(ctx context.Context, name string) (err error) {
	defer named(n.dir, &err)
	return n.local.SetTOTP(ctx, name, "", 0, nil)
}

// CheckSecondFactor takes a code of the authenticator or of the paper. Each is
// taken once.
func (n *Node) CheckSecondFactor(ctx context.Context, name, code string) (ok bool, err error) {
	defer named(n.dir, &err)
	_, c, err := n.local.Account(ctx, name)
	if err != nil || c.TOTP == "" {
		return false, err
	}
	if step, ok := factorStep(c.TOTP, code, n.Now()); ok {
		return n.local.UseStep(ctx, name, step)
	}
	return n.local.UseRecovery(ctx, name, recoveryDigest(name, code))
}

// factorStep gives the time step whose code this is, among those that count now.
func factorStep(secret, code string, now time.Time) (step int64, ok bool) {
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	at := now.Unix() / factorPeriod
	for _, step := range []int64{at, at - factorSkew, at + factorSkew} {
		fits, err := totp.ValidateCustom(code, secret, time.Unix(step*factorPeriod, 0),
			totp.ValidateOpts{Period: factorPeriod, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && fits {
			return step, true
		}
	}
	return 0, false
}

// recoveryDigest reads a code as people type it: in small letters, with spaces
// and hyphens, O for 0, I and L for 1.
func recoveryDigest(name, code string) portal.Digest {
	typed := strings.NewReplacer(" ", "", "-", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(code))
	return portal.DigestOf([]byte("koprik recovery\x00" + name + "\x00" + typed))
}

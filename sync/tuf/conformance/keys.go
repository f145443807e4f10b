package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"

	"koprik/sync/tuf"
)

// verifyPEM verifies for the kinds of keys that the specification names beside
// ed25519 (TUF 4.2), with the public key in PEM.
func verifyPEM(k tuf.Key, message, sig []byte) bool {
	block, _ := pem.Decode([]byte(k.Value.Public))
	if block == nil {
		return false
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return false
	}
	sum := sha256.Sum256(message)
	switch public := parsed.(type) {
	case *ecdsa.PublicKey:
		return k.Scheme == "ecdsa-sha2-nistp256" && public.Curve == elliptic.P256() && ecdsa.VerifyASN1(public, sum[:], sig)
	case *rsa.PublicKey:
		return k.Scheme == "rsassa-pss-sha256" && rsa.VerifyPSS(public, crypto.SHA256, sum[:], sig, nil) == nil
	}
	return false
}

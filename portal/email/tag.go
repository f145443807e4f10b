package email

import (
	"net/mail"
	"slices"
	"strings"
)

// TagLength is how many letters and digits the tag of a reply address has.
const TagLength = 16

// tagAlphabet is RFC 4648's base32 in lower case: mail servers change case.
const tagAlphabet = "abcdefghijklmnopqrstuvwxyz234567"

// Tagged is an address with a tag in it, as mail servers deliver to the address
// without (RFC 5233): "desk+tag@example.org".
func Tagged(address, tag string) string {
	local, domain, _ := strings.Cut(address, "@")
	return local + "+" + tag + "@" + domain
}

// SubjectTag is a tag as it stands in a subject, for mail programs that drop what
// is behind the plus.
func SubjectTag(tag string) string { return "[koprik-" + tag + "]" }

// tagHeaders are where a tag may stand, by who writes it: the program that
// replies, the server that delivers, and the letter itself when it came back.
var tagHeaders = []string{"To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "Reply-To", "Return-Path", "From", "Subject"}

// tagsOf adds the tags in a header. Most addresses with a plus are others'.
func (s *scan) tagsOf(h mail.Header) {
	const most = 20
	for _, name := range tagHeaders {
		for _, value := range h[name] {
			for _, before := range []string{"+", "[koprik-"} {
				for rest := value; len(s.tags) < most; {
					_, after, found := strings.Cut(rest, before)
					if !found {
						break
					}
					if tag, ok := tagAt(after); ok && !slices.Contains(s.tags, tag) {
						s.tags = append(s.tags, tag)
					}
					rest = after
				}
			}
		}
	}
}

// tagAt reads a tag that s begins with.
func tagAt(s string) (tag string, ok bool) {
	if len(s) <= TagLength || s[TagLength] != '@' && s[TagLength] != ']' {
		return "", false
	}
	tag = strings.ToLower(s[:TagLength])
	return tag, strings.Trim(tag, tagAlphabet) == ""
}

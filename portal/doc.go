// Package portal is the domain of an open-data portal, in words: datasets and
// their distributions, the publishers who answer for them, passports, releases,
// freshness, queries and the errors a caller can act on.
//
// It imports the standard library only and does no I/O. Every other room speaks
// in its types, so two rooms that must not know each other can still meet.
package portal

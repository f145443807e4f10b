// Package tuf verifies and signs the metadata of a repository after The Update
// Framework (TUF), specification 1.0. It is pure: bytes and a time go in, a
// verdict comes out. Fetching, keeping and the clock belong to its callers.
//
// Any TUF client can read what it writes. As a client it is stricter where two
// readers could differ, and expiry is a [Policy], because it runs on machines that
// nobody visits: docs/reference/tuf.md lists every difference, with its clause.
//
// An update that is refused leaves the [Set] as it was; one that is taken drops all
// below, so that generations never mix. A caller keeps the files of one whole walk,
// timestamp last, and offers them to a new Set with ExpireNothing before it asks the
// network; so the versions seen survive a restart.
package tuf

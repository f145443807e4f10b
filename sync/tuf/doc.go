// Package tuf verifies and signs the metadata of a repository after The Update
// Framework (TUF), specification 1.0. It is pure: bytes and a time go in, a
// verdict comes out. Fetching, keeping and the clock belong to its callers.
//
// Any TUF client can read what it writes. As a client it differs from a
// general one, because it runs unattended on machines that nobody visits:
//
//   - Expiry is a [Policy]. Rollback, mix-and-match and tampering are refused
//     at any age, but what was trusted once must be served for ever.
//   - JSON is decoded strictly. What two readers could read differently (a name
//     twice or in another case, invalid UTF-8, a half surrogate, a null, 1.0 for
//     1) is refused before a signature is looked at.
//   - An update that is refused leaves the [Set] as it was, and one that is
//     taken drops all that stood below: a cached role is always verified
//     against its current delegator, and two generations never mix.
//   - Other bytes under a version already seen are ErrEquivocation, an alarm,
//     and not "nothing new"; but only after their signatures verified.
//   - A key that cannot be one is an error when it is read. Keys are counted,
//     not key ids. A key of a type that is not known here verifies nothing.
//   - Delegations are flat: a publisher's slug, paths in which * stops at a
//     slash, none twice, none below a publisher. There are no hash prefixes, no
//     succinct roles, and no search through delegations: a target is asked
//     of its publisher.
//   - SHA-256 alone is compared, and ed25519 alone verifies.
//
// A caller keeps the files of one whole walk, timestamp last, and offers them
// to a new Set with ExpireNothing before it asks the network; so the versions
// seen survive a restart.
package tuf

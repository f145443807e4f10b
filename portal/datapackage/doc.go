// Package datapackage reads what publishers hand in (Frictionless Data
// Packages, table files with a passport beside them) and reads and writes what
// travels: the release manifest and the publisher's record.
//
// Input is met with patience: Load takes packages as they are found, of version
// 1 and 2, in JSON and YAML, and says in words what it cannot take. What travels
// is met with none: Decode and DecodePublisher read exactly what Encode and
// EncodePublisher may write (docs/reference/manifest.md,
// docs/reference/publisher-record.md, docs/reference/passport.md).
package datapackage

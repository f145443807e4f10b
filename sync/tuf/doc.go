// Package tuf verifies and signs the metadata of a repository after The Update
// Framework, specification 1.0. It is pure: bytes and a time go in, a verdict
// comes out; fetching, keeping and the clock belong to its callers.
package tuf

// Package straw measures what a round of a mirror costs through a line of
// 64 kbit/s and 600 ms, beside the programs that one would take otherwise, in one
// run. It is tests only: make bench-sync, and docs/reference/bench-sync.md.
package straw

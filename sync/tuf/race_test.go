//go:build race

package tuf

// raceDetector says that everything takes ten times as long: `make soak` runs the
// ten million mutations without it.
const raceDetector = true

//go:build !race

package tuf

const raceDetector = false

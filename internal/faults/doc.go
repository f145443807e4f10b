// Package faults is the world outside as mirrors meet it: a Link that is slow,
// far and breaks off, and an Origin that lies. It is for tests only.
//
// Network is a network in memory, so that all of it runs in virtual time under
// testing/synctest; a Link can also be laid over real listeners and dialers.
package faults

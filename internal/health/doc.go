// Package health knows what the continuous health of a cluster is, and how it follows from what probes find: the rules by
// which states change, when the observer rather than the observed is to be doubted, latency, availability, and which
// failures have a cause in common.
//
// Everything in it is a value or a function of values. Time is passed in; nothing waits, locks, stores or asks anybody.
// Package monitor makes the probes and keeps the records.
package health

// Package monitor knows the health of every cluster before anyone asks. It probes each at its pace, lets package health
// judge what was found, and keeps a record of each cluster that anybody may read at any time.
//
// One loop decides: what is due, where each cluster's automaton stands, whether the guard believes it. It never waits for
// a cluster. Probes run in as many goroutines as there are slots and come back to it; a cluster that waits for its time is
// an entry in a heap and nothing more. At most half of the slots are for clusters that fail, so that the dead never delay
// the living, and the load is the same whatever the fleet's health.
//
// The package does not know how a cluster is probed, who reads the records, or how history is stored.
package monitor

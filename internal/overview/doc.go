// Package overview sums up the health of a fleet in sections that are made side by side: how many clusters are in which
// state and why, which versions they run, what expires, what fails together, who is slow, and what has changed.
//
// A section that fails, panics or takes too long is named among the failures, and the others stand. The package reads
// records that others keep; it asks no cluster.
package overview

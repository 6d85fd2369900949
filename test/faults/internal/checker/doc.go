// Package checker reads what callers of the aggregator were told during a run of the fault suite, and says where that does
// not fit together, or does not fit what a [schedule.Schedule] says was wrong with the clusters. It knows nothing of the
// product but its API and its promises, and keeps tables of its own of what belongs together.
package checker

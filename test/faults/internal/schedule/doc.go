// Package schedule says what is wrong with whom, and when, in a run of the fault suite. A schedule is the ground truth: it
// follows from a seed alone, it is played into the simulated fleet, and package checker judges by it what the product told
// meanwhile. Times are measured from the start of the run on the monotonic clock.
package schedule

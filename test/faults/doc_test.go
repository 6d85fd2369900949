// Package faults_test shows the product everything that goes wrong with clusters, for as long as one likes, and checks what
// it tells of that: `go test ./test/faults`, or `make faults` for the long form. Faults follow from a seed, which is logged;
// `-seed` plays the same faults again, `-clusters` and `-duration` make the run larger and longer.
package faults_test

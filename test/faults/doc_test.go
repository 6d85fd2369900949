// Package faults_test shows the product everything that goes wrong with clusters, for as long as one likes, and checks what
// it tells of that: `go test ./test/faults`, or `make faults` for the long form. Faults follow from
// `-seed`, `-clusters` and `-duration`: the command that plays the same faults again, with all three, is the first line logged.
package faults_test

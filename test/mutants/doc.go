// Mutants shows that the tests notice the classic faults of fan-outs and of whoever holds the credentials of a fleet. Each
// file in patches brings one of them back into today's source: the tests that it names must fail then.
//
//	go run ./test/mutants                   # what `make mutants` does
//	go run ./test/mutants -list             # which faults there are
//	go run ./test/mutants -run 'fanout-.*'  # those whose whole name matches
//
// Nothing in the working tree is touched: Go compiles the changed files in place of the real ones (-overlay). First the
// same tests have to pass without any fault. Then a mutant is killed if, in every package it names, a test fails. One that
// survives is a hole in the tests; one that is malformed, that does not build, or whose tests only run out of time, proves
// nothing; one that no longer applies stands for source that has moved. Each of these fails the run. README.md says how a
// patch is written and renewed.
package main

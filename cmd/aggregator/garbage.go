package main

import (
	"os"
	"runtime/debug"
)

// Most of the heap of a large fleet is connections that stay. How much it grows before it is collected, in percent, is less
// than Go's 100: half of the memory that this would take, or a quarter where there are many clusters, is worth a little of
// the processor.
const (
	growth     = 50
	manyGrowth = 25
	many       = 2500 // clusters
)

// boundGarbage sets it for a fleet of that size, unless the operator has (GOGC).
func boundGarbage(clusters int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(growthFor(clusters))
	}
}

func growthFor(clusters int) int {
	if clusters >= many {
		return manyGrowth
	}
	return growth
}

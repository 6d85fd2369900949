package main

import (
	"runtime/debug"
	"testing"
)

func TestGarbageOfALargeFleetIsCollectedSooner(t *testing.T) {
	was := debug.SetGCPercent(100)
	defer debug.SetGCPercent(was)
	for _, c := range []struct{ clusters, want int }{{0, 50}, {many - 1, 50}, {many, 15}, {10_000, 15}} {
		t.Setenv("GOGC", "")
		boundGarbage(c.clusters)
		if got := debug.SetGCPercent(100); got != c.want {
			t.Errorf("%d clusters: the heap grows by %d %%, want %d", c.clusters, got, c.want)
		}
		t.Setenv("GOGC", "80")
		boundGarbage(c.clusters)
		if got := debug.SetGCPercent(100); got != 100 {
			t.Errorf("%d clusters: the operator's own setting was changed to %d %%", c.clusters, got)
		}
	}
}

package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestRestIsTheMedianOfEachFigure(t *testing.T) {
	got := atRest([]sample{
		{own: 40, files: 9, goroutines: 7, connections: 2, collections: 4},
		{own: 10, files: 8, goroutines: 9, connections: 2, collections: 5},
		{own: 30, files: 9, goroutines: 8, connections: 1, watchers: 1, collections: 6},
	})
	if want := (sample{own: 30, files: 9, goroutines: 8, connections: 2, collections: 6, rest: true}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWriteBuffersAreThoseOfTheLastBlockOfEachStream(t *testing.T) {
	data := t.TempDir()
	for name, size := range map[string]int{"a/msgs/9.blk": 5 << 20, "a/msgs/10.blk": 300 << 10, "a/msgs/index.db": 9 << 20, "b/msgs/1.blk": 5 << 20} {
		file := filepath.Join(data, "jetstream", "$G", "streams", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := writeBuffers(data); err != nil || got != 9<<20 {
		t.Errorf("got %d, %v; want 1 MiB and 8 MiB", got, err)
	}
	if got, err := writeBuffers(t.TempDir()); err != nil || got != 0 {
		t.Errorf("no store: %d, %v", got, err)
	}
}

func TestWhatAHurriedCollectionHasFoundCountsOnlyIfThereIsNoOther(t *testing.T) {
	for _, test := range []struct{ collections, want []int }{{[]int{4}, []int{4}}, {[]int{4, 4}, []int{4, 4}}, {[]int{4, 4, 6, 7}, []int{6, 7}}} {
		var seen []sample
		for _, n := range test.collections {
			seen = append(seen, sample{collections: n})
		}
		var got []int
		for _, s := range unhurried(seen) {
			got = append(got, s.collections)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("of %v: %v, want %v", test.collections, got, test.want)
		}
	}
}

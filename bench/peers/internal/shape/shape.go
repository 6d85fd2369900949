// Package shape has the ways in which people write a fan-out. The benchmarks do the same work in these shapes, to show
// what each of them costs.
package shape

import (
	"sync"

	"golang.org/x/sync/errgroup"
)

// Shape calls work for each index below n, at most limit of them at once if the shape knows bounds, and returns when all
// are done.
type Shape func(n, limit int, work func(index int))

// ByName returns the shapes.
func ByName() map[string]Shape {
	return map[string]Shape{"errgroup": ErrGroup, "naive": Naive, "semaphore": Semaphore, "batches": Batches}
}

// ErrGroup has as many goroutines as may work, which is how it is done well.
func ErrGroup(n, limit int, work func(index int)) {
	var group errgroup.Group
	group.SetLimit(limit)
	for i := range n {
		group.Go(func() error {
			work(i)
			return nil
		})
	}
	_ = group.Wait() // nothing fails
}

// Naive starts a goroutine for each, without any bound.
func Naive(n, _ int, work func(index int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { work(i) })
	}
	wg.Wait()
}

// Semaphore starts a goroutine for each, which then waits until it may work: the work is bounded, the goroutines are not.
func Semaphore(n, limit int, work func(index int)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, limit) // a token a worker
	for i := range n {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			work(i)
		})
	}
	wg.Wait()
}

// Batches works on limit of them and waits for the slowest one before it begins the next batch.
func Batches(n, limit int, work func(index int)) {
	for start := 0; start < n; start += limit {
		Naive(min(limit, n-start), limit, func(i int) { work(start + i) })
	}
}

package monitor

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// job is one probe that is to be made.
type job struct {
	entry  *entry
	name   string
	depth  cluster.Depth
	waited time.Duration
}

// finding is what came of one probe.
type finding struct {
	job
	began   time.Time
	ended   time.Time
	verdict *cluster.Verdict // nil if the probe did not end
}

// silent reports whether the cluster could not be reached. Where the probe did not end, it may be us.
func (f *finding) silent() bool { return f.verdict != nil && f.verdict.State == cluster.Unreachable }

// workers are goroutines that do jobs, one after the other: a stack that has grown to what a probe needs is worth keeping.
// There are as many as there were jobs at once lately, but for those of slow probes, of which few are kept.
type workers struct {
	do    func(job)
	jobs  chan job
	group sync.WaitGroup
	idle  atomic.Int64 // without a job
	// spare is how many have had nothing to do since thinned, at the least.
	spare   int64
	thinned time.Time
}

// give lets a worker do the job.
func (w *workers) give(j job) {
	select {
	case w.jobs <- j:
		w.idle.Add(-1)
	default:
		w.group.Go(func() { w.work(j) })
	}
}

func (w *workers) work(j job) {
	for more := true; more; {
		w.do(j)
		if w.idle.Add(1) > maxIdle {
			w.idle.Add(-1)
			return
		}
		j, more = <-w.jobs
		more = more && j.entry != nil
	}
}

// thin lets those go that were not needed for that time. It is to be called after jobs have been given, when most are needed.
func (w *workers) thin(now time.Time, after time.Duration) {
	w.spare = min(w.spare, w.idle.Load())
	if now.Sub(w.thinned) < after {
		return
	}
	for range w.spare {
		select {
		case w.jobs <- job{}:
			w.idle.Add(-1)
		default: // it has a job after all
		}
	}
	w.thinned, w.spare = now, maxIdle
}

// end lets all go and waits until they have.
func (w *workers) end() {
	close(w.jobs)
	w.group.Wait()
}

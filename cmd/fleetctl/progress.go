package main

import (
	"fmt"
	"sync/atomic"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress shows on a terminal how far a call is. The nil progress shows nothing.
type progress struct {
	container *mpb.Progress
	bar       *mpb.Bar
	failed    atomic.Int32 // Another goroutine draws.
}

// showProgress starts a progress on stderr where a person sees it and nothing else is written to the same screen
// meanwhile: streams says that results are printed as they come.
func (a *app) showProgress(doing string, streams bool) *progress {
	if !a.stderrTerminal || streams && a.stdoutTerminal {
		return nil
	}
	p := &progress{container: mpb.New(mpb.WithOutput(a.stderr))}
	p.bar = p.container.AddBar(0,
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(doing+" "), decor.CountersNoUnit("%d/%d ")),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
			if n := p.failed.Load(); n > 0 {
				return fmt.Sprintf(" %d failed", n)
			}
			return ""
		})))
	return p
}

// expect says how many results will come.
func (p *progress) expect(n int32) {
	if p != nil {
		p.bar.SetTotal(int64(n), false)
	}
}

// done counts a cluster.
func (p *progress) done(failed bool) {
	if p == nil {
		return
	}
	if failed {
		p.failed.Add(1)
	}
	p.bar.Increment()
}

// stop takes the progress off the screen. It must be called, once.
func (p *progress) stop() {
	if p != nil {
		p.bar.Abort(true)
		p.container.Wait()
	}
}

package process

import (
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// tailLines is how much of an output a failed test shows.
const tailLines = 40

// Output is what a program prints, as far as it has.
type Output struct {
	mu      sync.Mutex
	text    strings.Builder
	changed chan struct{} // closed and replaced when text grows or ends
	ended   bool
}

func newOutput() *Output { return &Output{changed: make(chan struct{})} }

// Write is the program's side.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	o.announce()
	return len(p), nil
}

func (o *Output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.announce()
}

func (o *Output) announce() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// String returns what was printed so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Tail returns the last lines of it.
func (o *Output) Tail() string {
	lines := strings.SplitAfter(strings.TrimRight(o.String(), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "")
}

func (o *Output) state() (text string, ended bool, changed <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.ended, o.changed
}

// Await waits until the pattern matches what was printed and returns the match and its groups.
func (o *Output) Await(t testing.TB, pattern string) []string {
	t.Helper()
	wanted := regexp.MustCompile(pattern)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		text, ended, changed := o.state()
		if found := wanted.FindStringSubmatch(text); found != nil {
			return found
		}
		if ended {
			t.Fatalf("the program ended without printing %s; it printed\n%s", pattern, o.Tail())
		}
		select {
		case <-changed:
		case <-timer.C:
			t.Fatalf("the program does not print %s; it printed\n%s", pattern, o.Tail())
		}
	}
}

package process

import (
	"strings"
	"sync"
)

// maxLines is how many lines of a child's log are kept.
const maxLines = 50

// logLines is an io.Writer that keeps the last lines that are written to it.
type logLines struct {
	// grown has a token when there are new lines.
	grown chan struct{}

	mu      sync.Mutex
	kept    []string
	partial string
}

func newLogLines() *logLines { return &logLines{grown: make(chan struct{}, 1)} }

// Write never fails.
func (l *logLines) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	whole := strings.Split(l.partial+string(text), "\n")
	l.partial = whole[len(whole)-1]
	l.kept = append(l.kept, whole[:len(whole)-1]...)
	if surplus := len(l.kept) - maxLines; surplus > 0 {
		l.kept = append(l.kept[:0], l.kept[surplus:]...)
	}
	select {
	case l.grown <- struct{}{}:
	default:
	}
	return len(text), nil
}

func (l *logLines) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.kept...)
}

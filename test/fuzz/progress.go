package main

import (
	"regexp"
	"strconv"
	"strings"
)

// progress is how far the fuzzing of a target has come.
type progress struct {
	execs int64 // inputs tried, those of before with them
	fresh int64 // of them, those that reached something new and were kept
	known int64 // kept in all; at first, those of them that were tried again
	last  string
}

// counts are in lines such as
// fuzz: elapsed: 3s, execs: 10209 (3402/sec), new interesting: 12 (total: 57).
//
// and before those in
// fuzz: elapsed: 0s, gathering baseline coverage: 57/192 completed.
var (
	counts   = regexp.MustCompile(`execs: (\d+) \(.*new interesting: (\d+) \(total: (\d+)\)`)
	baseline = regexp.MustCompile(`baseline coverage: (\d+)/`)
)

// madeUp reports whether an input was tried that was not known before: Go begins with all that were.
func (p *progress) madeUp() bool { return p.execs > p.known-p.fresh }

func isProgress(line string) bool { return strings.HasPrefix(line, "fuzz: ") }

// read notes what a line of progress says and reports whether it says more than the line before: a target that hangs
// goes on printing the same.
func (p *progress) read(line string) bool {
	if found := counts.FindStringSubmatch(line); found != nil {
		for i, to := range []*int64{&p.execs, &p.fresh, &p.known} {
			*to, _ = strconv.ParseInt(found[i+1], 10, 64) // digits, fewer than 19 of them in a lifetime
		}
		line = found[1]
	} else if found := baseline.FindStringSubmatch(line); found != nil {
		p.known, _ = strconv.ParseInt(found[1], 10, 64)
		line = found[0]
	} else if _, after, timed := strings.Cut(line, ", "); timed {
		line = after
	}
	before := p.last
	p.last = line
	return before != line
}

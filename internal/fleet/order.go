package fleet

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// pace is how long a cluster took last time, by the kind of work: a read takes a multiple of a probe.
type pace [3]atomic.Int64

// work is a kind of work on a cluster.
type work int

const (
	probeWork work = iota
	readWork
	answerWork // the part of a read until its first answer; see note
)

func (p *pace) set(w work, took time.Duration) { p[w].Store(int64(took)) }

// note notes how long a read took to be answered. What took long is forgotten slowly: other lists may take less.
func (p *pace) note(took time.Duration) {
	p.set(answerWork, max(took, time.Duration(p[answerWork].Load()*3/4)))
}

// ordered returns the members in the order in which a fan-out should start them: the living first, then those nothing is
// known of, the dead last, so that the dead never delay the living; within each those first that took longest last time,
// so that the slowest does not begin when all others are done.
func (f *Fleet) ordered(members []*member, w work) []*member {
	type ranked struct {
		member      *member
		rank        int
		took, other int64
	}
	ranks := make([]ranked, len(members))
	for i, m := range members {
		ranks[i] = ranked{m, f.rank(m), m.pace[w].Load(), m.pace[1-w].Load()}
	}
	slices.SortStableFunc(ranks, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(b.took, a.took), cmp.Compare(b.other, a.other))
	})
	result := make([]*member, len(members))
	for i, r := range ranks {
		result[i] = r.member
	}
	return result
}

func (f *Fleet) rank(m *member) int {
	switch f.state(m) {
	case cluster.Healthy, cluster.Degraded:
		return 0
	case cluster.Unknown:
		return 1
	case cluster.Unauthorized, cluster.Unreachable:
	}
	return 2
}

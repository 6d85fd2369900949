package overview

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/fanout"
)

// sectionTime is how long a section may take; the call's own time may be shorter.
const sectionTime = 2 * time.Second

// ErrNoHistory is why the transitions are missing where none are kept.
var ErrNoHistory = errors.New("no history is kept")

// History is where transitions are kept.
type History interface {
	// Transitions returns what is asked for, the latest first. It ends with ctx.
	Transitions(ctx context.Context, query health.HistoryQuery) ([]health.Transition, error)
}

// Request says what an overview is about.
type Request struct {
	// Fleet are the records of all clusters, each once.
	Fleet []*health.Record
	// Selected reports whether the overview is about a cluster; nil: about all.
	Selected func(*health.Record) bool
	// GroupBy is the label by whose values states are counted; empty: none.
	GroupBy string
	// Limit is how many entries a list has at most. It is positive.
	Limit int
	// ExpiringWithin is the time within which something expires soon.
	ExpiringWithin time.Duration
}

// Maker makes overviews. It is safe for concurrent use.
type Maker struct {
	history History
	log     *slog.Logger
}

// New returns a maker. Without a history, nil, the section of the transitions fails. The log gets why sections fail; nil
// discards it.
func New(history History, log *slog.Logger) *Maker {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Maker{history: history, log: log}
}

// Make returns the overview. It takes at most two seconds, less if ctx ends before.
func (m *Maker) Make(ctx context.Context, r Request) *Overview {
	v := &view{Request: r, history: m.history, records: r.Fleet}
	if r.Selected != nil {
		v.records = slices.DeleteFunc(slices.Clone(r.Fleet), func(r *health.Record) bool { return !v.Selected(r) })
	}
	ctx, cancel := context.WithTimeout(ctx, sectionTime)
	defer cancel()
	o := &Overview{}
	sections := v.sections()
	run := func(ctx context.Context, p part) (func(*Overview), error) { return p.make(ctx) }
	for result := range fanout.Each(ctx, slices.Values(sections), len(sections), run) {
		if result.Err != nil {
			m.report(ctx, result.Key.section, result.Err)
			o.Failures = append(o.Failures, Failure{result.Key.section, result.Err})
			continue
		}
		result.Value(o)
	}
	slices.SortFunc(o.Failures, func(a, b Failure) int { return cmp.Compare(a.Section, b.Section) })
	return o
}

// report logs a failure that is nobody's but ours.
func (m *Maker) report(ctx context.Context, s Section, err error) {
	if errors.Is(err, ErrNoHistory) || ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		return
	}
	stack := ""
	if panicked, ok := errors.AsType[*fanout.PanicError](err); ok {
		stack = string(panicked.Stack)
	}
	m.log.ErrorContext(ctx, "a section of the overview failed", "section", int(s), "error", err, "stack", stack)
}

package simulator

import (
	"context"
	"time"
)

// cue is a rule's next event.
type cue struct {
	rule int
	at   time.Duration // since the start
	on   bool          // the fault begins, or ends
}

// firstCue is the beginning of the rule.
func firstCue(index int, rule Rule) cue { return cue{rule: index, at: rule.From, on: true} }

// after is the event that follows c; false when c was the last.
func (r Rule) after(c cue) (cue, bool) {
	next := cue{rule: c.rule, on: !c.on}
	switch {
	case r.Period > 0 && c.on:
		next.at = c.at + r.Period/2
	case r.Period > 0:
		next.at = c.at + r.Period - r.Period/2
	case c.on && r.To > 0:
		next.at = r.To
	default:
		return cue{}, false
	}
	if r.To > 0 && next.at >= r.To {
		next.at = r.To
		return next, !next.on // it does not begin again at its end
	}
	return next, true
}

// play performs the cues of the rules, each at its time, until there are none left or ctx ends. Time is measured from
// start by one timer for the next event, however many rules there are.
func play(ctx context.Context, start time.Time, rules []Rule, cues []cue, perform func(cue)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for len(cues) > 0 {
		next := earliest(cues)
		timer.Reset(time.Until(start.Add(cues[next].at)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		perform(cues[next])
		following, more := rules[cues[next].rule].after(cues[next])
		if more {
			cues[next] = following
			continue
		}
		cues = append(cues[:next], cues[next+1:]...)
	}
}

// earliest is the index of the cue that comes first; of several at one time, an end comes before a beginning.
func earliest(cues []cue) int {
	first := 0
	for i, c := range cues {
		if c.at < cues[first].at || c.at == cues[first].at && !c.on && cues[first].on {
			first = i
		}
	}
	return first
}

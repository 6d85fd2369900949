package main

import (
	"cmp"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/safetext"
)

// becomes stands between two states.
const becomes = "→"

// news is one line about a cluster: when what became of it, and why.
type news struct {
	at                              *timestamppb.Timestamp
	cluster, state, reason, message string
}

// newsOf is the line about a change; ok is false where nothing has changed that a line shows.
func newsOf(c change) (n news, ok bool) {
	if c.after == nil {
		return newsOfRemoval(c.cluster()), true
	}
	after := watched(c.after)
	verdict := after.observation().GetVerdict()
	n = news{
		at: after.observation().GetObservedAt(), cluster: c.cluster(), state: after.state(),
		reason: word(verdict.GetReason(), "REASON_"), message: verdict.GetMessage(),
	}
	if c.before == nil {
		n.state = flagged(n.state, after)
		return n, true
	}
	before := watched(c.before)
	if from, to := before.word(), after.word(); from != to {
		n.state = flagged(from+becomes+to, after)
		n.at = cmp.Or(c.after.GetSince(), n.at)
		return n, true
	}
	n.state = flagged(n.state, after)
	was := before.observation().GetVerdict()
	return n, before.flags() != after.flags() || was.GetReason() != verdict.GetReason() || was.GetMessage() != verdict.GetMessage()
}

// newsOfRemoval is the line about a cluster that is no longer selected.
func newsOfRemoval(name string) news { return news{cluster: name, state: "REMOVED", reason: "-"} }

// flagged adds the flags to a state, without a space, so that columns can be counted.
func flagged(text string, l live) string {
	if l.flags() == "" || l.cluster.GetVirtual() {
		return text
	}
	return text + "," + l.flags()
}

// newsOfProbe is the line about a cluster that was probed again; ok is false where it found what the last one did.
func newsOfProbe(before, after *fleetv1.ProbeResult) (n news, ok bool) {
	verdict, was := after.GetObservation().GetVerdict(), before.GetObservation().GetVerdict()
	n = news{
		at: after.GetObservation().GetObservedAt(), cluster: after.GetCluster(), state: state(verdict, after.GetSkipped()),
		reason: word(verdict.GetReason(), "REASON_"), message: cmp.Or(verdict.GetMessage(), after.GetError().GetMessage()),
	}
	if before == nil {
		return n, true
	}
	if from := state(was, before.GetSkipped()); from != n.state {
		n.state = from + becomes + n.state
		return n, true
	}
	return n, was.GetReason() != verdict.GetReason() || cmp.Or(was.GetMessage(), before.GetError().GetMessage()) != n.message
}

// ticker prints news as it comes, in columns that keep their places.
type ticker struct {
	app *app
	// width is that of the widest name so far.
	width int
}

// stateWidth and reasonWidth hold the longest that are usual.
const (
	stateWidth  = len("UNREACHABLE>UNAUTHORIZED")
	reasonWidth = len("CONNECTION_REFUSED")
)

// fits makes the column of the names wide enough for one.
func (t *ticker) fits(name string) {
	t.width = max(t.width, utf8.RuneCountInString(safetext.Line(name)))
}

func (t *ticker) show(n news) error {
	t.fits(n.cluster)
	at := time.Now()
	if n.at != nil {
		at = n.at.AsTime()
	}
	const column = 2 // The state's.
	line := output.Grid{NoHeadings: true, MinWidths: []int{0, t.width, stateWidth, reasonWidth}}
	if t.app.coloured() {
		line.Colour = stateColour(column)
	}
	line.Row(at.UTC().Format(time.RFC3339), n.cluster, n.state, n.reason, orDash(n.message))
	if err := line.Write(t.app.stdout); err != nil {
		return err
	}
	return t.app.stdout.Flush()
}

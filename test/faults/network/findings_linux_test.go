package network_test

import (
	"time"

	"google.golang.org/grpc/codes"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/faults/internal/schedule"
)

// What the design promises to those who watch.
const (
	// found is how long a connection that goes silent may take to be found out: a probe fails, and the connection is given up.
	found = 20 * time.Second
	// confirmed is how long it may take until the cluster is told to be unreachable: 10 s to the next probe, which takes 5 s,
	// and three that try to connect for 3 s each, 2 s apart but for the first. The last of them is needed where so many fail
	// together that it takes longer until enough of the others have been reached.
	confirmed = 28 * time.Second
	// busy is what a machine that has much else to do may add to a time.
	busy = 2 * time.Second
	// recovered is how long the end of a fault may take.
	recovered = 15 * time.Second
	// reunited is how long all may take when our own link is back.
	reunited = 60 * time.Second
)

func ofNetwork(reason fleetv1.Verdict_Reason) schedule.Finding {
	return schedule.Finding{State: unreachable, Reason: reason, Blame: fleetv1.Verdict_BLAME_NETWORK, Code: codes.Unavailable}
}

// noAnswer is a connection attempt that nobody answers.
func noAnswer() schedule.Finding { return ofNetwork(fleetv1.Verdict_REASON_CONNECT_TIMEOUT) }

// noWay is one that fails at once.
func noWay() schedule.Finding { return ofNetwork(fleetv1.Verdict_REASON_CONNECTION_REFUSED) }

// noReply is a request on a connection that has gone silent.
func noReply() schedule.Finding {
	return schedule.Finding{
		State: unreachable, Reason: fleetv1.Verdict_REASON_RESPONSE_TIMEOUT, Blame: fleetv1.Verdict_BLAME_CONTROL_PLANE, Code: codes.DeadlineExceeded,
	}
}

// cutShort is a full probe in the middle of which the connection went silent: the cluster has been reached.
func cutShort() schedule.Finding {
	f := noReply()
	f.State = fleetv1.Verdict_STATE_DEGRADED
	return f
}

// silence is a fault after which what is kept goes silent and what is new gets no answer.
func silence(name string) schedule.Episode {
	return schedule.Episode{Name: name, Want: schedule.Want{
		Found: []schedule.Finding{noReply(), noAnswer()}, Full: []schedule.Finding{noReply(), noAnswer(), cutShort()},
		Told:   []schedule.Finding{noAnswer()},
		Within: confirmed, Recovered: recovered,
	}}
}

// denial is one after which what is kept goes silent and what is new fails at once.
func denial(name string) schedule.Episode {
	return schedule.Episode{Name: name, Want: schedule.Want{
		Found: []schedule.Finding{noReply(), noWay()}, Full: []schedule.Finding{noReply(), noWay(), cutShort()},
		Told:   []schedule.Finding{noWay()},
		Within: confirmed, Recovered: recovered,
	}}
}

// rumor is one of which only a router knows, who tells of it no more than once a second, however many ask: what waits for
// its answer behind the others waits in vain.
func rumor(name string) schedule.Episode {
	e := denial(name)
	e.Want.Found, e.Want.Full = append(e.Want.Found, noAnswer()), append(e.Want.Full, noAnswer())
	e.Want.Told = append(e.Want.Told, noAnswer())
	return e
}

// blip is one that is too short to be told.
func blip(name string) schedule.Episode {
	return schedule.Episode{Name: name, Want: schedule.Want{
		Found: []schedule.Finding{noReply(), noAnswer(), noWay(), cutShort(), schedule.Fine()}, Never: true, Recovered: recovered,
	}}
}

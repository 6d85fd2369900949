package main

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// What is counted of watches: how each call ended, how each began, and what became of it meanwhile. Begun and ended are as
// many, but for those that went wrong.
const (
	watching     = "WatchClusterHealth"
	watchesBegan = watching + " began"
	watchesWent  = watching + " went on"
)

// habits are what a watcher does beside reading.
type habit int

const (
	reads   habit = iota // and leaves in the end
	stalls               // reads nothing for a while
	resumes              // leaves, and comes back with its token
	breaks               // loses its connection, which its client makes good
	vanishes
	habits
)

// watch watches the health of some clusters for a while.
func (v *visit) watch(ctx context.Context) {
	request := &fleetv1.WatchClusterHealthRequest{Selector: v.selector()}
	switch habit(v.random.IntN(int(habits))) {
	case reads:
		v.watchFor(ctx, request, v.between(time.Second, 60*time.Second), 0)
	case stalls:
		v.watchFor(ctx, request, v.between(time.Second, 20*time.Second), v.between(time.Second, 45*time.Second))
	case resumes:
		for range 1 + v.random.IntN(4) {
			request.ResumeToken = v.watchFor(ctx, request, v.between(time.Second, 10*time.Second), 0)
			pause(ctx, v.between(0+1, 3*time.Second))
		}
	case breaks:
		timer := time.AfterFunc(v.between(time.Second, 10*time.Second), v.cut)
		defer timer.Stop()
		v.watchFor(ctx, request, v.between(10*time.Second, 40*time.Second), 0)
	case vanishes:
		timer := time.AfterFunc(v.between(100*time.Millisecond, 20*time.Second), v.hangUp)
		defer timer.Stop()
		v.watchFor(ctx, request, time.Minute, 0)
	case habits:
	}
}

// watchFor reads events for a while, after half of which it reads nothing for the stall. It returns the last resume token.
func (v *visit) watchFor(ctx context.Context, request *fleetv1.WatchClusterHealthRequest, while, stall time.Duration) (token string) {
	ctx, cancel := withTime(ctx, while+stall)
	defer cancel()
	resumed := request.GetResumeToken() != ""
	token = request.GetResumeToken()
	tired := time.Now().Add(while / 2)
	begun := false
	for event, err := range v.client.Watch(ctx, request) {
		if err != nil {
			v.noteWatch(ctx, begun, err)
			return token
		}
		if !begun && event.GetStarted() == nil {
			v.tally.fail(watching, errors.New("it begins with something else than started"))
		}
		if started := event.GetStarted(); started != nil {
			v.tally.count(beginning(begun, resumed, started.GetReset_()))
		}
		begun = true
		token = event.GetResumeToken()
		if stall > 0 && time.Now().After(tired) {
			pause(ctx, stall)
			stall = 0
		}
	}
	v.noteWatch(ctx, begun, nil)
	return token
}

// noteWatch counts how a watch ended. Once it has begun, that its time is over is how its caller leaves.
func (v *visit) noteWatch(ctx context.Context, begun bool, err error) {
	if !begun {
		v.tally.count(watchesBegan, "not at all")
	}
	if _, over := outOfTime(ctx); over && begun && status.Code(err) == codes.DeadlineExceeded {
		v.tally.count(watching, left)
		return
	}
	v.note(ctx, watching, err)
}

// beginning says what it is if a stream starts: in a watch that had begun before, its client has made good a connection; one
// that comes with a token is resumed, unless that is too old.
func beginning(begun, resumed, reset bool) (call, how string) {
	switch {
	case begun && reset:
		return watchesWent, "reconnected and reset"
	case begun:
		return watchesWent, "reconnected"
	case resumed && reset:
		return watchesBegan, "with a token that was too old"
	case resumed:
		return watchesBegan, "with a token"
	}
	return watchesBegan, "anew"
}

package main

import (
	"fmt"

	"github.com/clusterfleet/clusterfleet/bench/internal/child"
)

// job says what a contestant is to do. Peers are programs of their own; for the others this program is one.
type job = child.Job

func newWorker(j job) (child.Worker, error) {
	switch j.Role {
	case "fleet":
		return &fleetProber{job: j}, nil
	case "cold":
		return &coldProber{fleetProber{job: j}}, nil
	case "handshakes":
		return &handshaker{job: j}, nil
	case "connections":
		return &connected{handshaker{job: j}}, nil
	case "teller":
		return &teller{job: j}, nil
	case "bare":
		return &bareProber{job: j}, nil
	case "net/http":
		return &httpProber{job: j}, nil
	case "caller":
		return &caller{job: j}, nil
	case "holder":
		return &holder{job: j}, nil
	case "discarder":
		return &discarder{job: j}, nil
	case "first":
		return &firstReader{discarder{job: j}}, nil
	case "split":
		return &splitter{job: j}, nil
	case "loader":
		return &loader{job: j}, nil
	case "applier":
		return &applier{job: j}, nil
	case "clientcmd":
		return &clientcmdLoader{job: j}, nil
	}
	return nil, fmt.Errorf("no child has the role %q", j.Role)
}

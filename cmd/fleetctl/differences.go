package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
)

// differences is what a comparison has found so far.
type differences struct {
	wanted object
	flags  diffFlags
	format output.Format

	clusters []*fleetv1.ComparedCluster
	objects  []*fleetv1.ComparedObject // for json and yaml
	printed  int
	totals   *fleetv1.ComparisonTotals
	failures []failure
}

func (d *differences) cluster(c *fleetv1.ComparedCluster) {
	d.clusters = append(d.clusters, c)
	if err := client.StatusError(c.GetCompletion().GetError()); err != nil {
		d.failures = append(d.failures, failure{c.GetCluster(), err})
	}
}

// difference prints an event where that is done as it comes.
func (a *app) difference(event *fleetv1.CompareManifestsResponse, d *differences) error {
	switch d.format.Kind {
	case output.JSONL:
		return a.message(event)
	case output.Table, output.Wide:
		if object := event.GetObject(); object != nil {
			d.printed++
			return errors.Join(a.comparedObject(object, d), a.stdout.Flush())
		}
	default:
		if object := event.GetObject(); object != nil {
			d.objects = append(d.objects, object)
		}
	}
	return nil
}

// printDifferences prints what is printed as a whole.
func (a *app) printDifferences(d *differences, summary *fleetv1.Summary) error {
	if d.format.Kind != output.JSON && d.format.Kind != output.YAML {
		return nil
	}
	var document struct {
		Items    []json.RawMessage `json:"items"`
		Clusters []json.RawMessage `json:"clusters"`
		Totals   json.RawMessage   `json:"totals,omitempty"`
		Summary  json.RawMessage   `json:"summary,omitempty"`
	}
	var err error
	if document.Items, err = encoded(d.objects); err != nil {
		return err
	}
	if document.Clusters, err = encoded(d.clusters); err != nil {
		return err
	}
	if d.totals != nil {
		if document.Totals, err = output.Message(d.totals); err != nil {
			return err
		}
	}
	if summary != nil {
		if document.Summary, err = output.Message(summary); err != nil {
			return err
		}
	}
	raw, err := json.Marshal(document)
	if err != nil {
		return err
	}
	return output.Write(a.plain(), d.format, raw)
}

// diffOutcome turns what a comparison that ended well found into what the command returns.
func (a *app) diffOutcome(d *differences, s *fleetv1.Summary) error {
	read := fetched{failures: d.failures}
	absent := 0
	var told []failure
	for _, f := range d.failures {
		switch {
		case !f.notFound():
			told = append(told, f)
		case d.wanted.name == "": // That an object is missing is told with the object.
			told = append(told, f)
			fallthrough
		default:
			absent++
		}
	}
	if absent > 0 && absent == int(s.GetSucceeded()) && !s.GetDeadlineExceeded() {
		return exitError{exitFailed, nothingRead(read, d.wanted)}
	}
	a.warn(told, d.flags.allWarnings)
	t := d.totals
	same := t.GetDiffering() == 0 && t.GetMissingSomewhere() == 0
	err := a.outcome(s, unread(s), d.flags.requireComplete)
	if t.GetNotTold() > 0 && unread(s) == 0 {
		err = exitError{exitDeadline, fmt.Sprintf("the time of %s ran out (--timeout): %d of %s are not shown", a.connection.timeout, t.GetNotTold(), counted(int(t.GetObjects()), "object"))}
	}
	switch {
	case s.GetExpected() == 0 && err == nil:
		return exitError{exitFailed, noClusters}
	case s.GetSucceeded() < 2 && err == nil:
		return exitError{exitFailed, fmt.Sprintf("%d of %d clusters could be read: there is nothing to compare", s.GetSucceeded(), s.GetExpected()-s.GetSkipped())}
	case t.GetObjects() == 0:
		fmt.Fprintln(a.stderr, d.flags.nothing())
	default:
		fmt.Fprintf(a.stderr, "%s in %s: %d equal, %d differing, %d missing somewhere%s\n",
			counted(int(t.GetObjects()), "object"), counted(int(s.GetSucceeded()), "cluster"), t.GetEqual(), t.GetDiffering(), t.GetMissingSomewhere(), notTold(t))
	}
	if err == nil && !same {
		err = exitError{code: exitUnhealthy}
	}
	return err
}

// notTold says how many objects were not told before the time ran out.
func notTold(t *fleetv1.ComparisonTotals) string {
	if t.GetNotTold() == 0 {
		return ""
	}
	return fmt.Sprintf(", %d not shown", t.GetNotTold())
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/safetext"
	"github.com/clusterfleet/clusterfleet/pkg/client"
)

// maxWarnings bounds how many failed clusters are named, unless --all-warnings is given.
const maxWarnings = 20

// failure is why a cluster was not read, or one object of it not printed.
type failure struct {
	cluster string
	err     error
}

func (f failure) String() string {
	text := f.cluster + ": " + client.Message(f.err)
	reason := client.Reason(f.err)
	if wait, ok := client.RetryAfter(f.err); ok && reason != "" {
		reason += ", again in " + max(wait.Round(100*time.Millisecond), 100*time.Millisecond).String()
	}
	if reason != "" {
		text += " (" + reason + ")"
	}
	return safetext.Clean(text)
}

// notFound tells that the cluster does not have the type or the object: in a fleet, no cause for alarm.
func (f failure) notFound() bool { return status.Code(f.err) == codes.NotFound }

// warn says on stderr which clusters failed, in the order of their names, a line each, up to a bound unless all
// are wanted. Clusters that do not have what was asked for share one line.
func (a *app) warn(failures []failure, all bool) {
	slices.SortStableFunc(failures, func(x, y failure) int { return cmp.Compare(x.cluster, y.cluster) })
	var absent []string
	said, more := 0, 0
	for _, f := range failures {
		switch {
		case f.notFound():
			absent = append(absent, f.cluster)
		case said == maxWarnings && !all:
			more++
		default:
			fmt.Fprintln(a.stderr, "warning: "+f.String())
			said++
		}
	}
	if more > 0 {
		fmt.Fprintf(a.stderr, "warning: and %d more\n", more)
	}
	if len(absent) > 0 {
		few := 5
		if all {
			few = len(absent)
		}
		fmt.Fprintln(a.stderr, "warning: not found in "+some(absent, few))
	}
}

// some names a few clusters and counts the others.
func some(names []string, few int) string {
	text := safetext.Line(strings.Join(names[:min(few, len(names))], ", "))
	if len(names) > few {
		text += fmt.Sprintf(" and %d more", len(names)-few)
	}
	return text
}

// fetchOutcome turns what a fetch that ended well found into what the command returns.
func (a *app) fetchOutcome(s *fleetv1.Summary, f fetched, wanted object, flags getFlags) error {
	nothing := s.GetSucceeded()+s.GetTruncated() == 0 && len(f.failures) > 0
	switch {
	case !nothing:
		a.warn(f.failures, flags.allWarnings)
	case len(f.failures) > 1: // What is left out here is said by nothingRead.
		a.warn(slices.DeleteFunc(slices.Clone(f.failures), failure.notFound), flags.allWarnings)
	}
	if text := readSummary(s, f.changed, flags.limitPerCluster); text != "" && !nothing {
		fmt.Fprintln(a.stderr, text)
	}
	err := a.outcome(s, unread(s), flags.requireComplete)
	if err == nil && flags.requireComplete && len(f.failures) > 0 {
		err = exitError{code: exitUnhealthy}
	}
	switch {
	case nothing && !s.GetDeadlineExceeded():
		code := exitFailed
		if flags.requireComplete {
			code = exitUnhealthy
		}
		return exitError{code, nothingRead(f, wanted)}
	case err != nil:
		return err
	case s.GetExpected() == 0:
		_, err = fmt.Fprintln(a.stderr, noClusters)
	case f.items == 0:
		_, err = fmt.Fprintln(a.stderr, flags.nothing())
	}
	return err
}

// nothingRead says why no cluster could be read whole, in one line.
func nothingRead(f fetched, wanted object) string {
	i := slices.IndexFunc(f.failures, failure.notFound)
	switch {
	case i < 0 && len(f.failures) == 1:
		return f.failures[0].String()
	case i < 0 && f.items > 0:
		return fmt.Sprintf("none of %d clusters could be read whole", len(f.failures))
	case i < 0:
		return fmt.Sprintf("none of %d clusters could be read", len(f.failures))
	}
	what := "resource type " + typeName(wanted.resource)
	if wanted.name != "" {
		what = typeName(wanted.resource) + "/" + wanted.name
	}
	return what + " is not found in " + whereNot(f.failures, f.failures[i])
}

// whereNot says in which clusters something is not found, what the first one answered, and that others were not read.
func whereNot(failures []failure, first failure) string {
	answered := 0
	for _, f := range failures {
		if f.notFound() {
			answered++
		}
	}
	says := client.Message(first.err)
	unread := fmt.Sprintf("%d were not read", len(failures)-answered)
	if len(failures)-answered == 1 {
		unread = "1 was not read"
	}
	switch {
	case len(failures) == 1:
		return first.cluster + ": " + says
	case answered == len(failures):
		return fmt.Sprintf("any of %d clusters: %s", answered, says)
	case answered == 1:
		return fmt.Sprintf("%s, the only cluster that answered; %s; the answer: %s", first.cluster, unread, says)
	}
	return fmt.Sprintf("any of the %d clusters that answered; %s; the answer: %s", answered, unread, says)
}

// typeName is a resource type as it is written on the command line.
func typeName(t *fleetv1.ResourceType) string {
	parts := []string{t.GetResource(), t.GetVersion(), t.GetGroup()}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), ".")
}

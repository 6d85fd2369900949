package server

import (
	"cmp"
	"context"
	"strconv"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/health"
)

// defaultTransitions is how many transitions a page holds unless the caller asks for another number.
const defaultTransitions = 100

// History keeps the transitions of the clusters' states.
type History interface {
	// Transitions returns those that are asked for, the latest first.
	Transitions(ctx context.Context, q health.HistoryQuery) ([]health.Transition, error)
}

// ListTransitions returns a page of history. Pages are cut by the place in the history, so that what happens between two
// pages does not shift them.
func (s *monitored) ListTransitions(ctx context.Context, r *fleetv1.ListTransitionsRequest) (*fleetv1.ListTransitionsResponse, error) {
	if s.history == nil {
		return nil, noHistory()
	}
	before, err := parseSequence(r.GetPageToken())
	if err != nil {
		return nil, err
	}
	wanted := selector(r.GetSelector())
	clusters, err := s.historical(wanted)
	if err != nil {
		return nil, requestStatus(err)
	}
	if clusters != nil && len(clusters) == 0 {
		return &fleetv1.ListTransitionsResponse{}, nil
	}
	size := cmp.Or(int(r.GetPageSize()), defaultTransitions)
	query := health.HistoryQuery{Clusters: clusters, To: wanted.States, Before: before, Limit: size + 1} // one more tells whether there are more
	if since := r.GetSince(); since != nil {
		query.Since = since.AsTime()
	}
	found, err := s.history.Transitions(ctx, query)
	if err != nil {
		return nil, orGone(ctx, requestStatus(err))
	}
	response := &fleetv1.ListTransitionsResponse{Transitions: fitting(found[:min(size, len(found))], transition)}
	if n := len(response.GetTransitions()); n < len(found) {
		response.NextPageToken = pageToken(strconv.FormatUint(found[n-1].Sequence, 10))
	}
	return response, nil
}

// historical returns the names of the clusters whose history is asked for, nil for all. Names need not be known any more;
// labels are those that the fleet's clusters have now.
func (s *monitored) historical(wanted fleet.Selector) (map[string]struct{}, error) {
	names := make(map[string]struct{}, len(wanted.Names))
	for _, name := range wanted.Names {
		names[name] = struct{}{}
	}
	if wanted.Labels == "" {
		if len(names) == 0 {
			return nil, nil //nolint:nilnil // nil is all of them
		}
		return names, nil
	}
	labelled, err := s.fleet.Clusters(fleet.Selector{Labels: wanted.Labels})
	if err != nil {
		return nil, err
	}
	selected := make(map[string]struct{}, len(labelled))
	for _, c := range labelled {
		name := c.Definition.Name
		if _, named := names[name]; named || len(names) == 0 {
			selected[name] = struct{}{}
		}
	}
	return selected, nil
}

// parseSequence returns the sequence that a page's transitions come before, 0 for the first page.
func parseSequence(token string) (uint64, error) {
	if token == "" {
		return 0, nil
	}
	text, err := parsePageToken(token)
	if err != nil {
		return 0, err
	}
	sequence, err := strconv.ParseUint(text, 10, 64)
	if err != nil || sequence == 0 {
		return 0, badPageToken()
	}
	return sequence, nil
}

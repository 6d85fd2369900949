package server

import (
	"cmp"
	"context"
	"slices"
	"time"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/overview"
)

const (
	defaultOverviewLimit  = 10
	defaultExpiringWithin = 30 * 24 * time.Hour
)

// overviews serves fleet.v1.FleetService.
type overviews struct {
	fleetv1.UnimplementedFleetServiceServer

	fleet   *fleet.Fleet
	monitor Monitor // nil if there is none
	maker   *overview.Maker
}

func newOverviews(f *fleet.Fleet, o Options) *overviews {
	return &overviews{fleet: f, monitor: o.Monitor, maker: overview.New(o.History, o.Log)}
}

// GetFleetOverview returns a summary of the selected clusters, within the caller's deadline.
func (s *overviews) GetFleetOverview(ctx context.Context, r *fleetv1.GetFleetOverviewRequest) (*fleetv1.GetFleetOverviewResponse, error) {
	if s.monitor == nil {
		return nil, notMonitored()
	}
	selected, err := s.selected(selector(r.GetSelector()))
	if err != nil {
		return nil, requestStatus(err)
	}
	within := defaultExpiringWithin
	if r.GetExpiringWithin() != nil {
		within = r.GetExpiringWithin().AsDuration()
	}
	ctx, cancel := withBudget(ctx)
	defer cancel()
	return overviewMessage(s.maker.Make(ctx, overview.Request{
		Fleet:          s.monitor.Records(),
		Selected:       selected,
		GroupBy:        r.GetGroupBy(),
		Limit:          cmp.Or(int(r.GetLimit()), defaultOverviewLimit),
		ExpiringWithin: within,
	})), nil
}

// selected returns what selects records, nil for all of them. Names and labels are those of the fleet, the state is the
// confirmed one.
func (s *overviews) selected(want fleet.Selector) (func(*health.Record) bool, error) {
	states := want.States
	want.States = nil
	clusters, err := s.fleet.Clusters(want)
	if err != nil {
		return nil, err
	}
	if len(want.Names) == 0 && want.Labels == "" && len(states) == 0 {
		return nil, nil //nolint:nilnil // everything is selected, as documented
	}
	names := make(map[string]struct{}, len(clusters))
	for _, c := range clusters {
		names[c.Definition.Name] = struct{}{}
	}
	return func(r *health.Record) bool {
		_, ok := names[r.Subject.Name]
		return ok && (len(states) == 0 || slices.Contains(states, r.State))
	}, nil
}

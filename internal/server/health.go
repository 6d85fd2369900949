package server

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/broadcast"
	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// Monitor is the continuous health of the fleet.
type Monitor interface {
	// Records returns what is known of each cluster, sorted by name.
	Records() []*health.Record
	// Record returns what is known of one cluster, nil if it is not watched. It is quick.
	Record(name string) *health.Record
	// Changes returns the hub of the same records by name. It is the same one each time.
	Changes() *broadcast.Hub[*health.Record]
}

// healthService serves fleet.v1.HealthService.
type healthService struct {
	probes
	monitored
}

// monitored serves what fleet.v1.HealthService tells without asking the clusters.
type monitored struct {
	fleet   *fleet.Fleet
	monitor Monitor // nil if there is none
	history History // nil if there is none
	teller  *teller // nil if there is no monitor
	calls   *callMetrics
}

func newMonitored(f *fleet.Fleet, options Options, calls *callMetrics) monitored {
	m := monitored{fleet: f, monitor: options.Monitor, history: options.History, calls: calls}
	if m.monitor != nil {
		m.teller = newTeller(m.monitor.Changes(), calls.events)
	}
	return m
}

// selection returns what tells whether a record is selected. Names have to be known to the fleet.
func (s *monitored) selection(wanted fleet.Selector) (func(*health.Record) bool, error) {
	selects, err := wanted.Predicate()
	if err != nil {
		return nil, requestStatus(err)
	}
	if _, err := s.fleet.Clusters(fleet.Selector{Names: wanted.Names}); err != nil {
		return nil, requestStatus(err)
	}
	return func(r *health.Record) bool { return selects(r.Subject.Name, r.Subject.Labels, r.State) }, nil
}

// ListClusterHealth returns a page of what is known of the selected clusters.
func (s *monitored) ListClusterHealth(_ context.Context, r *fleetv1.ListClusterHealthRequest) (*fleetv1.ListClusterHealthResponse, error) {
	if s.monitor == nil {
		return nil, notMonitored()
	}
	order := cmp.Or(r.GetOrderBy(), fleetv1.ListClusterHealthRequest_ORDER_NAME)
	after, err := parsePlace(r.GetPageToken(), order)
	if err != nil {
		return nil, err
	}
	selects, err := s.selection(selector(r.GetSelector()))
	if err != nil {
		return nil, err
	}
	selected := slices.DeleteFunc(slices.Clone(s.monitor.Records()), func(r *health.Record) bool { return !selects(r) })
	sortRecords(selected, order)
	begin := after.in(selected)
	page := selected[begin:min(begin+cmp.Or(int(r.GetPageSize()), defaultPageSize), len(selected))]
	response := &fleetv1.ListClusterHealthResponse{
		Clusters:  fitting(page, clusterHealth),
		TotalSize: int32(len(selected)), //nolint:gosec // a fleet has fewer than 2³¹ clusters
	}
	if end := begin + len(response.Clusters); end < len(selected) {
		response.NextPageToken = place{order: order, offset: end, name: selected[end-1].Subject.Name}.token()
	}
	return response, nil
}

// place is where a page begins: behind a name in the order of names, so that clusters that come or go between two pages
// neither shift nor repeat the others; in the other orders, which change by themselves, at a number.
type place struct {
	order  fleetv1.ListClusterHealthRequest_Order
	offset int
	name   string
}

func (p place) token() string {
	where := p.name
	if p.order != fleetv1.ListClusterHealthRequest_ORDER_NAME {
		where = strconv.Itoa(p.offset)
	}
	return pageToken(strconv.Itoa(int(p.order)) + ":" + where)
}

// parsePlace returns the place of a token that was made for the same order.
func parsePlace(token string, order fleetv1.ListClusterHealthRequest_Order) (place, error) {
	p := place{order: order}
	if token == "" {
		return p, nil
	}
	text, err := parsePageToken(token)
	if err != nil {
		return p, err
	}
	where, ok := strings.CutPrefix(text, strconv.Itoa(int(order))+":")
	if !ok {
		return p, invalidField("page_token", "not the next_page_token of a previous page in the same order")
	}
	if order == fleetv1.ListClusterHealthRequest_ORDER_NAME {
		p.name = where
		return p, nil
	}
	if p.offset, err = strconv.Atoi(where); err != nil || p.offset < 0 {
		return p, badPageToken()
	}
	return p, nil
}

// in returns the index at which the page begins.
func (p place) in(sorted []*health.Record) int {
	if p.order != fleetv1.ListClusterHealthRequest_ORDER_NAME {
		return min(p.offset, len(sorted))
	}
	begin, found := slices.BinarySearchFunc(sorted, p.name, func(r *health.Record, name string) int {
		return strings.Compare(r.Subject.Name, name)
	})
	if found {
		begin++
	}
	return begin
}

// sortRecords sorts what is sorted by name.
func sortRecords(records []*health.Record, order fleetv1.ListClusterHealthRequest_Order) {
	switch order {
	case fleetv1.ListClusterHealthRequest_ORDER_STATE:
		slices.SortStableFunc(records, func(a, b *health.Record) int { return cmp.Compare(severity(b.State), severity(a.State)) })
	case fleetv1.ListClusterHealthRequest_ORDER_SINCE:
		slices.SortStableFunc(records, func(a, b *health.Record) int { return b.Since.Compare(a.Since) })
	case fleetv1.ListClusterHealthRequest_ORDER_LATENCY:
		slices.SortStableFunc(records, func(a, b *health.Record) int { return cmp.Compare(b.Latency.P99, a.Latency.P99) })
	case fleetv1.ListClusterHealthRequest_ORDER_UNSPECIFIED, fleetv1.ListClusterHealthRequest_ORDER_NAME:
	}
}

// severity is how bad a state is.
func severity(s cluster.State) int {
	switch s {
	case cluster.Unreachable:
		return 4
	case cluster.Unauthorized:
		return 3
	case cluster.Degraded:
		return 2
	case cluster.Unknown:
		return 1
	case cluster.Healthy:
	}
	return 0
}

package checker

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// The rules of the order in which watches tell.
const (
	RuleShape    = "a watch starts, is synced once, and goes on"
	RuleRevision = "revisions ascend within a watch"
	RuleReset    = "a watch goes on behind its token, or says that it does not"
	RuleGap      = "a watcher who is up to date knows of everything that came before"
	RuleSame     = "a revision is the same for everybody"
)

// place is where an event stands in the order of the aggregator's life. The API calls the token opaque; a test may look.
type place struct{ epoch, revision uint64 }

// placeOf reads a token: a version, the epoch, the revision.
func placeOf(token string) (p place, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) != 1+8+8 {
		return place{}, false
	}
	return place{binary.BigEndian.Uint64(b[1:]), binary.BigEndian.Uint64(b[9:])}, true
}

// version is one record of one cluster: what stands at one place.
type version struct {
	place  place
	health *fleetv1.ClusterHealth // nil: it is gone
}

// ledger is all that anybody was told, by epoch and cluster.
type ledger map[uint64]map[string]map[uint64]string

// revisions checks the order within each watch and between the watches.
func (j *judge) revisions() {
	all := ledger{}
	for _, w := range j.history.Watches {
		j.ascend(w, all)
	}
	known := map[string]map[string]version{} // by watcher and cluster
	for _, w := range j.history.Watches {
		if known[w.Watcher] == nil {
			known[w.Watcher] = map[string]version{}
		}
		j.follow(w, known[w.Watcher], all)
	}
}

// ascend checks one watch by itself and enters what it was told. Events of one snapshot come in the order of their changes.
func (j *judge) ascend(w *Watch, all ledger) {
	synced := false
	var last place
	for i, s := range w.Seen {
		p, ok := placeOf(s.Event.GetResumeToken())
		started := s.Event.GetStarted()
		switch {
		case !ok && started == nil:
			j.violate(RuleShape, s.At, "%s got an event without a token: %v", w.Watcher, s.Event)
			continue
		case (started != nil) != (i == 0), s.Event.GetSynced() != nil && synced:
			j.violate(RuleShape, s.At, "%s got %v as its event %d", w.Watcher, s.Event, i)
		case p.epoch == last.epoch && p.revision < last.revision:
			j.violate(RuleRevision, s.At, "%s got revision %d after %d", w.Watcher, p.revision, last.revision)
		}
		synced = synced || s.Event.GetSynced() != nil
		if h := s.Event.GetChanged(); h != nil {
			if p == last {
				j.violate(RuleRevision, s.At, "%s got two changes at revision %d", w.Watcher, p.revision)
			}
			j.enter(w, s, p, all)
		}
		if ok {
			last = p
		}
	}
}

// enter writes down what stands at a place, which must be what others were told of it. Times and durations are left aside:
// a probe that finds what was known makes no revision of its own, but is what who comes later is told.
func (j *judge) enter(w *Watch, s Sight, p place, all ledger) {
	h := s.Event.GetChanged()
	if all[p.epoch] == nil {
		all[p.epoch] = map[string]map[uint64]string{}
	}
	of := all[p.epoch][h.GetCluster()]
	if of == nil {
		of = map[uint64]string{}
		all[p.epoch][h.GetCluster()] = of
	}
	told := essence(h)
	if before, met := of[p.revision]; met && before != told {
		j.violate(RuleSame, s.At, "%s got %s of %s at revision %d, another got %s", w.Watcher, told, h.GetCluster(), p.revision, before)
	}
	of[p.revision] = told
}

// essence is what every change of which is a revision.
func essence(h *fleetv1.ClusterHealth) string {
	v := h.GetObservation().GetVerdict()
	return fmt.Sprint(h.GetState(), h.GetKnownState(), h.GetSince().AsTime(), h.GetFlapping(), h.GetMaintenance(), h.GetVirtual(),
		h.GetRestored(), h.GetObserverSuspect(), h.GetIncident(), v.GetState(), v.GetReason(), v.GetBlame())
}

// follow takes in what a watcher was told over its calls, and checks at each moment at which it was up to date that it
// knew the latest of each cluster: what anybody else was told up to that place.
func (j *judge) follow(w *Watch, known map[string]version, all ledger) {
	upToDate := false
	for i, s := range w.Seen {
		p, _ := placeOf(s.Event.GetResumeToken())
		switch {
		case i == 0 && s.Event.GetStarted().GetReset_():
			clear(known)
		case i == 0:
			if from, ok := placeOf(w.Token); !ok || p != (place{}) && p.epoch != from.epoch {
				j.violate(RuleReset, s.At, "%s goes on in another life behind %q without being told so", w.Watcher, w.Token)
			}
		case s.Event.GetChanged() != nil:
			known[s.Event.GetChanged().GetCluster()] = version{p, s.Event.GetChanged()}
		case s.Event.GetRemoved() != nil:
			delete(known, s.Event.GetRemoved().GetCluster())
		}
		upToDate = upToDate || s.Event.GetSynced() != nil
		if upToDate && (s.Event.GetSynced() != nil || i == len(w.Seen)-1) {
			j.upToDate(w, s, p, known, all)
		}
	}
}

func (j *judge) upToDate(w *Watch, s Sight, p place, known map[string]version, all ledger) {
	for name, versions := range all[p.epoch] {
		latest := uint64(0)
		for revision := range versions {
			if revision <= p.revision {
				latest = max(latest, revision)
			}
		}
		if have := known[name].place.revision; have < latest {
			j.violate(RuleGap, s.At, "%s is at revision %d and knows %s of %d, it has missed %d", w.Watcher, p.revision, name, have, latest)
		}
	}
}

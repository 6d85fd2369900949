package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// format is the version of what is stored. A field that is added does not change it: readers pass over what they do not
// know. One that changes its meaning does.
const format = 1

// snapshotEntry is a health.Snapshot as it is stored.
type snapshotEntry struct {
	Format      int           `json:"format"`
	Cluster     string        `json:"cluster"`
	State       state         `json:"state"`
	Known       state         `json:"known"`
	Since       time.Time     `json:"since,omitzero"`
	At          time.Time     `json:"at,omitzero"`
	LastSuccess time.Time     `json:"last_success,omitzero"`
	Verdict     *verdictEntry `json:"verdict,omitempty"`
	Expiries    []expiryEntry `json:"expiries,omitempty"`
	Uptime      []byte        `json:"uptime,omitempty"`
}

type verdictEntry struct {
	State         state          `json:"state"`
	Reason        cluster.Reason `json:"reason,omitempty"`
	Blame         blame          `json:"blame"`
	Message       string         `json:"message,omitempty"`
	Hint          string         `json:"hint,omitempty"`
	Depth         depth          `json:"depth"`
	ServerVersion string         `json:"server_version,omitempty"`
	Username      string         `json:"username,omitempty"`
	FailingChecks []string       `json:"failing_checks,omitempty"`
}

type expiryEntry struct {
	Kind expiryKind `json:"kind"`
	At   time.Time  `json:"at"`
}

// transitionEntry is a health.Transition as it is stored; its sequence is the one that JetStream gives it.
type transitionEntry struct {
	Format   int            `json:"format"`
	Cluster  string         `json:"cluster"`
	At       time.Time      `json:"at"`
	From     state          `json:"from"`
	To       state          `json:"to"`
	Reason   cluster.Reason `json:"reason,omitempty"`
	Blame    blame          `json:"blame"`
	Message  string         `json:"message,omitempty"`
	Lasted   duration       `json:"lasted,omitempty"`
	Flapping bool           `json:"flapping,omitempty"`
}

func encodeSnapshot(s health.Snapshot) ([]byte, error) {
	e := snapshotEntry{
		Format:      format,
		Cluster:     s.Cluster,
		State:       state(s.State),
		Known:       state(s.Known),
		Since:       s.Since.UTC(),
		At:          s.At.UTC(),
		LastSuccess: s.LastSuccess.UTC(),
		Uptime:      s.Uptime,
	}
	if v := s.Verdict; v != nil {
		e.Verdict = &verdictEntry{
			State:         state(v.State),
			Reason:        v.Reason,
			Blame:         blame(v.Blame),
			Message:       v.Message,
			Hint:          v.Hint,
			Depth:         depth(v.Depth),
			ServerVersion: v.ServerVersion,
			Username:      v.Username,
			FailingChecks: v.FailingChecks,
		}
	}
	for _, x := range s.Expiries {
		e.Expiries = append(e.Expiries, expiryEntry{Kind: expiryKind(x.Kind), At: x.At.UTC()})
	}
	return encode(s.Cluster, e)
}

func decodeSnapshot(data []byte) (health.Snapshot, error) {
	var e snapshotEntry
	if err := json.Unmarshal(data, &e); err != nil {
		return health.Snapshot{}, err
	}
	if err := checkEntry(e.Format, e.Cluster); err != nil {
		return health.Snapshot{}, err
	}
	s := health.Snapshot{
		Cluster:     e.Cluster,
		State:       cluster.State(e.State),
		Known:       cluster.State(e.Known),
		Since:       e.Since,
		At:          e.At,
		LastSuccess: e.LastSuccess,
		Uptime:      e.Uptime,
	}
	if v := e.Verdict; v != nil {
		s.Verdict = &cluster.Verdict{
			State:         cluster.State(v.State),
			Reason:        v.Reason,
			Blame:         cluster.Blame(v.Blame),
			Message:       v.Message,
			Hint:          v.Hint,
			Depth:         cluster.Depth(v.Depth),
			ServerVersion: v.ServerVersion,
			Username:      v.Username,
			FailingChecks: v.FailingChecks,
		}
	}
	times := []time.Time{e.Since, e.At, e.LastSuccess}
	for _, x := range e.Expiries {
		if x.Kind == 0 {
			return health.Snapshot{}, errors.New("an expiry of nothing")
		}
		times = append(times, x.At)
		s.Expiries = append(s.Expiries, cluster.Expiry{Kind: cluster.ExpiryKind(x.Kind), At: x.At})
	}
	return s, checkTimes(times...)
}

func encodeTransition(t health.Transition) ([]byte, error) {
	return encode(t.Cluster, transitionEntry{
		Format:   format,
		Cluster:  t.Cluster,
		At:       t.At.UTC(),
		From:     state(t.From),
		To:       state(t.To),
		Reason:   t.Reason,
		Blame:    blame(t.Blame),
		Message:  t.Message,
		Lasted:   duration(t.Lasted),
		Flapping: t.Flapping,
	})
}

func decodeTransition(sequence uint64, data []byte) (health.Transition, error) {
	var e transitionEntry
	if err := json.Unmarshal(data, &e); err != nil {
		return health.Transition{}, err
	}
	if err := errors.Join(checkEntry(e.Format, e.Cluster), checkTimes(e.At)); err != nil {
		return health.Transition{}, err
	}
	return health.Transition{
		Sequence: sequence,
		Cluster:  e.Cluster,
		At:       e.At,
		From:     cluster.State(e.From),
		To:       cluster.State(e.To),
		Reason:   e.Reason,
		Blame:    cluster.Blame(e.Blame),
		Message:  e.Message,
		Lasted:   time.Duration(e.Lasted),
		Flapping: e.Flapping,
	}, nil
}

// encode returns the entry of a cluster, if both are of a size that can be stored.
func encode(cluster string, entry any) ([]byte, error) {
	if err := checkName(cluster); err != nil {
		return nil, err
	}
	data, err := json.Marshal(entry)
	if err != nil {
		return nil, err
	}
	if len(data) > maxEntry {
		return nil, fmt.Errorf("%d bytes are more than the %d that are stored", len(data), maxEntry)
	}
	return data, nil
}

func checkEntry(version int, cluster string) error {
	if version != format {
		return fmt.Errorf("format %d is not known to this version, which reads %d", version, format)
	}
	return checkName(cluster)
}

// checkTimes refuses times that could not be written again: in UTC they are in a year of five digits, or before the first.
func checkTimes(times ...time.Time) error {
	for _, t := range times {
		if year := t.UTC().Year(); year < 0 || year > 9999 {
			return fmt.Errorf("a time in the year %d", year)
		}
	}
	return nil
}

func checkName(cluster string) error {
	if cluster == "" || len(cluster) > maxName {
		return fmt.Errorf("a cluster's name has 1 to %d bytes, not %d", maxName, len(cluster))
	}
	return nil
}

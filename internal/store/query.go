package store

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/clusterfleet/clusterfleet/internal/health"
)

// fewClusters is for how many clusters their own histories are read, rather than the one of all.
const fewClusters = 16

// Load returns the snapshots that were saved, by this process and those before it, in no order. Those that cannot be
// decoded are left out, logged and counted.
func (s *Store) Load(ctx context.Context) ([]health.Snapshot, error) {
	var snapshots []health.Snapshot
	for m, err := range s.link.Load().forwards(ctx, latestStream, 1) {
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(m.subject, latestSubject) || m.header.Get("KV-Operation") != "" {
			continue
		}
		snapshot, err := decodeSnapshot(m.data)
		if err != nil {
			s.passOver(m, err)
			continue
		}
		snapshots = append(snapshots, snapshot)
	}
	return snapshots, nil
}

// Transitions returns what the query asks for, the latest first. What it returns is on disk. It reads as far back as it
// has to and holds little more than what it returns; ctx bounds the time. Those that cannot be decoded are left out,
// logged and counted.
func (s *Store) Transitions(ctx context.Context, q health.HistoryQuery) ([]health.Transition, error) {
	if q.Limit <= 0 {
		return nil, errors.New("the limit of a query has to be positive")
	}
	l := s.link.Load()
	if q.Clusters == nil || len(q.Clusters) > fewClusters {
		return s.collect(l.backwards(ctx, historyStream, everything, q.Before), q)
	}
	var all []health.Transition
	for name := range q.Clusters {
		if checkName(name) != nil {
			continue // none is stored
		}
		found, err := s.collect(l.backwards(ctx, historyStream, subject(historySubject, name), q.Before), q)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b health.Transition) int { return cmp.Compare(b.Sequence, a.Sequence) })
	return all[:min(len(all), q.Limit)], nil
}

// collect returns the first of the messages that the query asks for.
func (s *Store) collect(messages iter.Seq2[stored, error], q health.HistoryQuery) ([]health.Transition, error) {
	subjects := make(map[string]bool, len(q.Clusters))
	for name := range q.Clusters {
		subjects[subject(historySubject, name)] = true
	}
	var found []health.Transition
	for m, err := range messages {
		if err != nil {
			return nil, err
		}
		if m.at.Before(q.Since) {
			break // what is stored earlier has happened earlier
		}
		if q.Clusters != nil && !subjects[m.subject] {
			continue
		}
		t, err := decodeTransition(m.sequence, m.data)
		if err != nil {
			s.passOver(m, err)
			continue
		}
		if t.At.Before(q.Since) || len(q.To) > 0 && !slices.Contains(q.To, t.To) {
			continue
		}
		if found = append(found, t); len(found) == q.Limit {
			break
		}
	}
	return found, nil
}

// passOver counts what cannot be decoded, and says so now and then.
func (s *Store) passOver(m stored, why error) {
	s.undecodable.Add(1)
	s.complaints.undecodable.Do(func() {
		s.options.Log.Error("a stored entry cannot be decoded", "subject", m.subject, "sequence", m.sequence, "error", why)
	})
}

package store

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// latestStream is a KV bucket: its name, its subjects and its settings are those by which any NATS client knows one.
	latestStream  = "KV_clusterfleet"
	latestSubject = "$KV.clusterfleet.health."
	// forgottenFor is how long a mark says that a key is gone, for whoever watches the bucket.
	forgottenFor = "1h"

	historyStream  = "clusterfleet_transitions"
	historySubject = "clusterfleet.transitions."
	// duplicates is how long the server knows what it has stored already.
	duplicates = 2 * time.Minute
)

// subject returns the subject of a cluster. A name may hold what a subject must not.
func subject(prefix, cluster string) string {
	return prefix + base64.RawURLEncoding.EncodeToString([]byte(cluster))
}

// prepare makes the streams, or adapts those that are there to the options. What an operator has set beside that stays.
func (l *link) prepare(ctx context.Context, o *Options) error {
	err := l.ensure(ctx, o, jetstream.StreamConfig{
		Name:              latestStream,
		Description:       "the latest health of each cluster",
		Subjects:          []string{"$KV.clusterfleet.>"},
		MaxMsgsPerSubject: 1,
		MaxBytes:          o.maxLatest(),
		Discard:           jetstream.DiscardNew,
		AllowRollup:       true,
		DenyDelete:        true,
		AllowDirect:       true,
		AllowMsgTTL:       true,
	})
	if err != nil {
		return err
	}
	return l.ensure(ctx, o, jetstream.StreamConfig{
		Name:        historyStream,
		Description: "the changes of the clusters' health",
		Subjects:    []string{historySubject + "*"},
		MaxAge:      o.MaxAge,
		MaxBytes:    o.MaxBytes,
		Discard:     jetstream.DiscardOld,
		Duplicates:  min(duplicates, o.MaxAge),
		AllowDirect: true,
	})
}

func (l *link) ensure(ctx context.Context, o *Options, want jetstream.StreamConfig) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	want.Storage = jetstream.FileStorage
	want.AllowAtomicPublish = true
	stream, err := l.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = l.js.CreateStream(ctx, want)
	}
	if err != nil {
		return fmt.Errorf("open stream %s: %w", want.Name, err)
	}
	info := stream.CachedInfo()
	if lost := info.State.Lost; lost != nil {
		o.Log.Error("stored entries are lost to damage of the disk", "stream", want.Name, "entries", len(lost.Msgs), "bytes", lost.Bytes)
	}
	have := info.Config
	have.MaxAge, have.MaxBytes, have.Duplicates = want.MaxAge, want.MaxBytes, want.Duplicates
	have.AllowDirect, have.AllowMsgTTL, have.AllowAtomicPublish = true, want.AllowMsgTTL, true
	if want.Duplicates == 0 {
		have.Duplicates = info.Config.Duplicates
	}
	if !reflect.DeepEqual(have, info.Config) {
		if stream, err = l.js.UpdateStream(ctx, have); err != nil {
			return fmt.Errorf("adapt stream %s: %w", want.Name, err)
		}
	}
	if !stream.CachedInfo().Config.AllowAtomicPublish {
		return fmt.Errorf("stream %s takes no atomic batches: NATS 2.12 or later is needed", want.Name)
	}
	return nil
}

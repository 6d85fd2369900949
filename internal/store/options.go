package store

import (
	"errors"
	"log/slog"
	"time"
)

const (
	// maxPending is how many transitions wait for being written at most; what comes on top is dropped.
	maxPending = 100_000
	// maxEntry is the size of what is stored of one snapshot or transition at most, in bytes.
	maxEntry = 256 << 10
	// maxName is the length of a cluster's name at most, in bytes.
	maxName = 253
	// maxLatest is the size of the latest health of all clusters on an external NATS, in bytes.
	maxLatest = 256 << 20

	// saveEvery is how long the latest health of a cluster waits for more at most, before it is written.
	saveEvery = time.Second
	// lagging is how long something may wait before the store is said to be behind.
	lagging = 10 * time.Second
	// maxPause is the wait between two attempts to write at most.
	maxPause = 15 * time.Second
	// patience is how long one request to JetStream may take.
	patience = 10 * time.Second

	defaultMaxAge   = 30 * 24 * time.Hour
	defaultMaxBytes = 1 << 30
)

// Options say where a store is and how much it keeps.
type Options struct {
	// Dir is the data directory of an embedded JetStream, URL the address of an external one: exactly one of them is set.
	// The URL may name several servers, separated by commas, and may hold credentials.
	Dir, URL string
	// MaxAge is how long transitions are kept: 30 days unless set.
	MaxAge time.Duration
	// MaxBytes is how much room all transitions take at most: 1 GiB unless set. The oldest go first.
	MaxBytes int64
	// Log gets what the embedded server complains about and what the store gives up; nil: nobody does.
	Log *slog.Logger
}

// complete checks the options and fills in what was not set.
func (o *Options) complete() error {
	if (o.Dir == "") == (o.URL == "") {
		return errors.New("a store is either in a data directory or on an external NATS: set one of the two")
	}
	if o.MaxAge < 0 || o.MaxBytes < 0 {
		return errors.New("the age and the size of the history cannot be negative")
	}
	if o.MaxAge == 0 {
		o.MaxAge = defaultMaxAge
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// maxLatest is the size of the latest health of all clusters, in bytes. On our own disk it is bounded by their number and
// maxEntry alone: an embedded server that is told more than 32 MiB makes files of 8 MiB instead of 4, and holds several of
// them in memory while entries replace each other.
func (o *Options) maxLatest() int64 {
	if o.Dir != "" {
		return -1
	}
	return maxLatest
}

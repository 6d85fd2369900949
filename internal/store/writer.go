package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

// writer is the goroutine that writes what is pending, and the only one that writes.
type writer struct {
	*Store
	// tail is the sequence of the last transition that is known to be stored.
	tail uint64
	// uncertain says that an attempt failed and may have stored what it was to store.
	uncertain bool
	// broken says that the server or its disk failed, rather than that it refused; failed is how many attempts in a row have.
	broken bool
	failed int
	resume time.Time
}

// run writes transitions at once and snapshots every saveEvery, until the store closes and nothing is pending, or ctx ends.
func (w *writer) run(ctx context.Context) {
	defer close(w.ended)
	defer w.unlock()
	defer func() { w.link.Load().close() }()
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		var save, last bool
		select {
		case <-ctx.Done():
			return
		case <-w.closing:
			save, last = true, true
		case <-tick.C:
			save = true
		case <-w.wake:
		}
		if time.Now().Before(w.resume) {
			if !last {
				continue
			}
			if !pause(ctx, time.Until(w.resume)) {
				return
			}
		}
		if err := w.write(ctx, save); err == nil && last {
			return
		}
	}
}

// pause waits, and reports whether ctx has not ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// write makes one attempt to write all that is pending, and records how it went.
func (w *writer) write(ctx context.Context, save bool) error {
	err := w.attempt(ctx, save)
	if err != nil {
		err = w.explain(err)
	}
	w.trouble.mu.Lock()
	defer w.trouble.mu.Unlock()
	if err == nil {
		if w.trouble.failure != nil {
			w.options.Log.Info("the store is written again", "since", w.trouble.since)
		}
		w.trouble.failure, w.trouble.dropped = nil, 0
		w.uncertain, w.broken, w.failed = false, false, 0
		w.resume = time.Time{}
		return nil
	}
	if w.trouble.failure == nil {
		w.trouble.since = time.Now()
		w.options.Log.Error("the store cannot be written, what is pending waits", "error", err)
	}
	w.trouble.failure = err
	w.failures.Add(1)
	w.uncertain, w.broken = true, broken(err)
	w.failed++
	w.resume = time.Now().Add(min(100*time.Millisecond<<min(w.failed, 10), maxPause))
	return err
}

func (w *writer) attempt(ctx context.Context, save bool) error {
	if w.broken || w.failed > 3 {
		if err := w.repair(ctx); err != nil {
			return err
		}
	}
	if w.uncertain {
		if err := w.reconcile(ctx); err != nil {
			return err
		}
	}
	if err := w.writeTransitions(ctx); err != nil {
		return err
	}
	if !save && !w.uncertain {
		return nil
	}
	return w.writeLatest(ctx)
}

// repair brings the server back to a state in which it can write. An embedded one that has met a full disk or another
// failure of it refuses all writes from then on, and still reads; so it is started anew only once writing is possible.
func (w *writer) repair(ctx context.Context) error {
	if w.options.Dir == "" {
		return w.link.Load().prepare(ctx, &w.options)
	}
	if err := writable(w.options.Dir); err != nil {
		return err
	}
	w.options.Log.Warn("the embedded NATS server is started anew")
	w.link.Load().close()
	l, err := open(ctx, &w.options)
	if err != nil {
		return err
	}
	w.link.Store(l)
	return nil
}

// explain returns the cause of a failure where the embedded server does not know it.
func (w *writer) explain(err error) error {
	if w.options.Dir == "" {
		return err
	}
	if cause := writable(w.options.Dir); cause != nil {
		return cause
	}
	return err
}

// reconcile takes those transitions out of the queue that an attempt has stored though it seemed to fail.
func (w *writer) reconcile(ctx context.Context) error {
	there := map[string]bool{}
	for m, err := range w.link.Load().forwards(ctx, historyStream, w.tail+1) {
		if err != nil {
			return err
		}
		there[m.header.Get(nats.MsgIdHdr)] = true
		w.tail = m.sequence
	}
	head := w.pending.head(maxBatch)
	n := 0
	for n < len(head) && there[w.id(head[n])] {
		n++
	}
	w.pending.done(n)
	w.writtenTransitions.Add(uint64(n))
	return nil
}

// id tells a transition from all others, so that none is stored twice.
func (w *writer) id(q queued) string { return w.session + "." + strconv.FormatUint(q.number, 36) }

func (w *writer) writeTransitions(ctx context.Context) error {
	for {
		head := w.pending.head(maxBatch)
		if len(head) == 0 {
			return nil
		}
		messages, n := w.batch(head)
		if len(messages) > 0 {
			tail, err := w.link.Load().publish(ctx, messages)
			if err != nil {
				return fmt.Errorf("write %d transitions: %w", len(messages), err)
			}
			w.tail = max(w.tail, tail)
		}
		w.pending.done(n)
		w.writtenTransitions.Add(uint64(len(messages)))
	}
}

// batch returns the messages of the first n transitions, of which it leaves out those that cannot be stored.
func (w *writer) batch(head []queued) (messages []*nats.Msg, n int) {
	size := 0
	for _, q := range head {
		if size >= maxBatchBytes {
			break
		}
		n++
		data, err := encodeTransition(q.transition)
		if err != nil {
			w.drop("transition", q.transition.Cluster, err)
			continue
		}
		m := &nats.Msg{Subject: subject(historySubject, q.transition.Cluster), Header: nats.Header{}, Data: data}
		m.Header.Set(nats.MsgIdHdr, w.id(q))
		messages = append(messages, m)
		size += len(data)
	}
	return messages, n
}

func (w *writer) writeLatest(ctx context.Context) error {
	taken := w.pending.take()
	clusters := slices.Collect(maps.Keys(taken))
	for len(clusters) > 0 {
		messages, n := w.latest(taken, clusters)
		if len(messages) > 0 {
			if _, err := w.link.Load().publish(ctx, messages); err != nil {
				w.pending.putBack(taken)
				return fmt.Errorf("write the latest health of %d clusters: %w", len(messages), err)
			}
		}
		for _, cluster := range clusters[:n] {
			delete(taken, cluster)
		}
		clusters = clusters[n:]
		w.pending.wrote(n)
		w.writtenSnapshots.Add(uint64(len(messages)))
	}
	return nil
}

// latest returns the messages for the first n clusters, of which it leaves out those that cannot be stored.
func (w *writer) latest(changes map[string]change, clusters []string) (messages []*nats.Msg, n int) {
	size := 0
	for _, cluster := range clusters {
		if size >= maxBatchBytes || len(messages) == maxBatch {
			break
		}
		n++
		m, err := changes[cluster].message(cluster)
		if err != nil {
			w.drop("snapshot", cluster, err)
			continue
		}
		messages = append(messages, m)
		size += len(m.Data)
	}
	return messages, n
}

// message is a put or a delete as any client of a KV bucket knows it.
func (c change) message(cluster string) (*nats.Msg, error) {
	m := &nats.Msg{Subject: subject(latestSubject, cluster), Header: nats.Header{}}
	if c.forget {
		m.Header.Set("KV-Operation", "DEL")
		m.Header.Set("Nats-TTL", forgottenFor)
		return m, checkName(cluster)
	}
	data, err := encodeSnapshot(c.snapshot)
	m.Data = data
	return m, err
}

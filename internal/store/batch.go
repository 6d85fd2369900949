package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

const (
	// maxBatch is how many messages NATS takes in one batch at most.
	maxBatch = 1000
	// maxBatchBytes is where a batch ends that has not reached that number, in bytes.
	maxBatchBytes = 2 << 20
)

// publish stores messages of one stream in one batch: all of them, in their order and on disk, or none. It returns the
// sequence of the last. After an error that is not the server's answer, all may be stored nevertheless.
func (l *link) publish(ctx context.Context, messages []*nats.Msg) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	last := messages[len(messages)-1]
	if len(messages) > 1 {
		id := nuid.Next()
		for i, m := range messages {
			m.Header.Set("Nats-Batch-Id", id)
			m.Header.Set("Nats-Batch-Sequence", strconv.Itoa(i+1))
		}
		last.Header.Set("Nats-Batch-Commit", "1")
		for _, m := range messages[:len(messages)-1] {
			if err := l.conn.PublishMsg(m); err != nil {
				return 0, err
			}
		}
	}
	reply, err := l.conn.RequestMsgWithContext(ctx, last)
	if err != nil {
		return 0, err
	}
	var ack struct {
		Sequence uint64              `json:"seq"`
		Error    *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(reply.Data, &ack); err != nil {
		return 0, fmt.Errorf("the answer of NATS makes no sense: %w", err)
	}
	if ack.Error != nil {
		return 0, ack.Error
	}
	if ack.Sequence == 0 {
		return 0, errors.New("NATS has not said what it has stored")
	}
	return ack.Sequence, nil
}

package store

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// pageSize is how many messages are asked for at once.
	pageSize = 512
	// pageBytes is where NATS ends a page that has not reached that number, in bytes.
	pageBytes = 4 << 20
	// minWindow and maxWindow are how many sequences are looked at in one step backwards.
	minWindow, maxWindow = 512, 1 << 16
)

// stored is a message of a stream.
type stored struct {
	sequence uint64
	subject  string
	at       time.Time // when it was stored
	header   nats.Header
	data     []byte
}

// direct is a request to read from a stream: https://docs.nats.io, direct get.
type direct struct {
	Sequence uint64 `json:"seq,omitempty"`
	Next     string `json:"next_by_subj,omitempty"`
	Last     string `json:"last_by_subj,omitempty"`
	Batch    int    `json:"batch,omitempty"`
	MaxBytes int    `json:"max_bytes,omitempty"`
}

// last returns the sequence of the last message with a subject, which may hold wildcards; 0 if there is none.
func (l *link) last(ctx context.Context, stream, subject string) (uint64, error) {
	page, err := l.get(ctx, stream, direct{Last: subject})
	if err != nil || len(page) == 0 {
		return 0, err
	}
	return page[0].sequence, nil
}

// page returns the first of the messages with a subject whose sequence is from or after, at most size of them; fewer
// does not mean that there are no more, none does.
func (l *link) page(ctx context.Context, stream, subject string, from uint64, size int) ([]stored, error) {
	return l.get(ctx, stream, direct{Sequence: from, Next: subject, Batch: size, MaxBytes: pageBytes})
}

// forwards yields the messages with a subject from a sequence on.
func (l *link) forwards(ctx context.Context, stream, subject string, from uint64) iter.Seq2[stored, error] {
	return func(yield func(stored, error) bool) {
		for {
			page, err := l.page(ctx, stream, subject, from, pageSize)
			if err != nil {
				yield(stored{}, err)
				return
			}
			for _, m := range page {
				if !yield(m, nil) {
					return
				}
			}
			if len(page) == 0 {
				return
			}
			from = page[len(page)-1].sequence + 1
		}
	}
}

// backwards yields the messages with a subject whose sequence is before one, the latest first; 0 is after all of them.
// NATS reads forwards only: so windows are read, the later first, and wider ones where little is found.
func (l *link) backwards(ctx context.Context, stream, subject string, before uint64) iter.Seq2[stored, error] {
	return func(yield func(stored, error) bool) {
		end, err := l.last(ctx, stream, subject)
		if err != nil {
			yield(stored{}, err)
			return
		}
		if end++; before > 0 {
			end = min(end, before)
		}
		head, err := l.page(ctx, stream, subject, 1, 1)
		if err != nil {
			yield(stored{}, err)
			return
		}
		if len(head) == 0 {
			return
		}
		first := head[0].sequence
		for width := uint64(minWindow); end > first; {
			begin := max(first, end-min(end, width))
			found, err := l.window(ctx, stream, subject, begin, end)
			if err != nil {
				yield(stored{}, err)
				return
			}
			for _, m := range slices.Backward(found) {
				if !yield(m, nil) {
					return
				}
			}
			end = begin
			switch {
			case len(found) < minWindow/8:
				width = min(width*4, maxWindow)
			case len(found) > 2*minWindow:
				width = max(width/4, minWindow)
			}
		}
	}
}

// window returns the messages with a subject from one sequence to before another.
func (l *link) window(ctx context.Context, stream, subject string, begin, end uint64) ([]stored, error) {
	var found []stored
	for begin < end {
		page, err := l.page(ctx, stream, subject, begin, int(min(pageSize, end-begin)))
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			return found, nil
		}
		begin = page[len(page)-1].sequence + 1
		inside := slices.IndexFunc(page, func(m stored) bool { return m.sequence >= end })
		if inside >= 0 {
			page = page[:inside]
		}
		found = append(found, page...)
	}
	return found, nil
}

// get asks a stream and returns its answer, which is several messages and an end.
func (l *link) get(ctx context.Context, stream string, request direct) ([]stored, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	inbox := l.conn.NewInbox()
	answers, err := l.conn.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("read from the store: %w", err)
	}
	defer func() { _ = answers.Unsubscribe() }() // fails only where the connection is gone, and the subscription with it
	if err := l.conn.PublishRequest("$JS.API.DIRECT.GET."+stream, inbox, body); err != nil {
		return nil, fmt.Errorf("read from the store: %w", err)
	}
	var page []stored
	for {
		m, err := answers.NextMsgWithContext(ctx)
		if err != nil {
			return nil, fmt.Errorf("read from the store: %w", err)
		}
		switch status := m.Header.Get("Status"); status {
		case "":
		case "204", "404": // the end of the batch; nothing found
			return page, nil
		default:
			return nil, fmt.Errorf("read from the store: NATS answers %s %s", status, m.Header.Get("Description"))
		}
		entry, err := parse(m)
		if err != nil {
			return nil, fmt.Errorf("read from the store: %w", err)
		}
		page = append(page, entry)
		if request.Batch == 0 {
			return page, nil
		}
	}
}

func parse(m *nats.Msg) (stored, error) {
	sequence, err := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
	if err != nil {
		return stored{}, fmt.Errorf("the answer of NATS makes no sense: %w", err)
	}
	at, err := time.Parse(time.RFC3339Nano, m.Header.Get("Nats-Time-Stamp"))
	if err != nil {
		return stored{}, fmt.Errorf("the answer of NATS makes no sense: %w", err)
	}
	return stored{sequence: sequence, subject: m.Header.Get("Nats-Subject"), at: at, header: m.Header, data: m.Data}, nil
}

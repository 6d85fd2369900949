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
	pending  uint64    // how many are after it that the request was for
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

// everything is the subject of all messages of a stream. Others with wildcards are slow to read by.
const everything = ""

// last returns the sequence of the last message with a subject; 0 if there is none.
func (l *link) last(ctx context.Context, stream, subject string) (uint64, error) {
	if subject == everything {
		subject = ">"
	}
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

// forwards yields all messages of a stream from a sequence on.
func (l *link) forwards(ctx context.Context, stream string, from uint64) iter.Seq2[stored, error] {
	return func(yield func(stored, error) bool) {
		for {
			page, err := l.page(ctx, stream, everything, from, pageSize)
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
		w := walk{link: l, stream: stream, subject: subject}
		if err := w.start(ctx, before); err != nil {
			yield(stored{}, err)
			return
		}
		for w.end > w.first {
			found, err := w.step(ctx)
			if err != nil {
				yield(stored{}, err)
				return
			}
			for _, m := range slices.Backward(found) {
				if !yield(m, nil) {
					return
				}
			}
		}
	}
}

// walk is a way backwards through the messages with a subject.
type walk struct {
	*link
	stream, subject string
	// first is the sequence of the first of them, end that before which none was read yet, width that of the next step.
	first, end, width uint64
	// beyond is how many of them have the sequence end or a later one.
	beyond uint64
}

// start puts the walk before a sequence.
func (w *walk) start(ctx context.Context, before uint64) error {
	w.width = minWindow
	head, err := w.page(ctx, w.stream, w.subject, 1, 1)
	if err != nil || len(head) == 0 {
		return err
	}
	last, err := w.last(ctx, w.stream, w.subject)
	if err != nil {
		return err
	}
	w.first, w.end = head[0].sequence, last+1
	if before == 0 || before > last {
		return nil
	}
	w.end = before
	tail, err := w.page(ctx, w.stream, w.subject, before, 1)
	if len(tail) > 0 {
		w.beyond = tail[0].pending + 1
	}
	return err
}

// step returns the messages of the next window, and sets how wide the one after it is to be.
func (w *walk) step(ctx context.Context) ([]stored, error) {
	begin := max(w.first, w.end-min(w.end, w.width))
	found, err := w.window(ctx, begin)
	if err != nil {
		return nil, err
	}
	w.end = begin
	w.beyond += uint64(len(found))
	switch {
	case len(found) < minWindow/8:
		w.width = min(w.width*4, maxWindow)
	case len(found) > 2*minWindow:
		w.width = max(w.width/4, minWindow)
	}
	return found, nil
}

// window returns the messages from a sequence to the end. How many there are it knows from the first: reading on would be
// in vain, and slow where there are few.
func (w *walk) window(ctx context.Context, begin uint64) ([]stored, error) {
	var found []stored
	size := uint64(1)
	if w.subject == everything {
		size = w.end - begin
	}
	for size > 0 && begin < w.end {
		page, err := w.page(ctx, w.stream, w.subject, begin, int(min(pageSize, size)))
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			break
		}
		last := page[len(page)-1]
		begin = last.sequence + 1
		size = last.pending - min(last.pending, w.beyond)
		inside := slices.IndexFunc(page, func(m stored) bool { return m.sequence >= w.end })
		if inside < 0 {
			inside = len(page)
		}
		found = append(found, page[:inside]...)
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
	var pending uint64
	if text := m.Header.Get("Nats-Num-Pending"); text != "" {
		if pending, err = strconv.ParseUint(text, 10, 64); err != nil {
			return stored{}, fmt.Errorf("the answer of NATS makes no sense: %w", err)
		}
	}
	return stored{
		sequence: sequence, subject: m.Header.Get("Nats-Subject"), at: at, pending: pending, header: m.Header, data: m.Data,
	}, nil
}

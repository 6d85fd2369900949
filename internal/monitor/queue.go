package monitor

// queue is first in, first out. Clusters that went meanwhile are left out.
type queue struct{ entries []*entry }

func (q *queue) push(e *entry) { q.entries = append(q.entries, e) }

func (q *queue) pop() *entry {
	for len(q.entries) > 0 {
		e := q.entries[0]
		q.entries[0] = nil
		q.entries = q.entries[1:]
		if !e.gone {
			return e
		}
	}
	q.entries = nil
	return nil
}

package health

import "time"

// Uptime is for how long a cluster was healthy, of the time in which that was known. It looks back on the last hour by
// the minute, the last day by the hour and the last 30 days by the day (UTC), by the wall clock. The zero value knows
// nothing. It is for one goroutine at a time.
type Uptime struct {
	minutes [60]bucket[uint16]
	hours   [24]bucket[uint32]
	days    [30]bucket[uint32]
	// heads are the numbers of the latest bucket of each, counted from 1970.
	heads [3]int64
}

// millis is a number of milliseconds. Each cluster has 114 buckets: those of a minute are half as wide.
type millis interface{ uint16 | uint32 }

// bucket is how many milliseconds of a stretch of time are known, and in how many of them the cluster was healthy.
type bucket[M millis] struct{ up, known M }

// ring is the buckets of one width. A bucket is kept at its number modulo their count.
type ring[M millis] struct {
	buckets []bucket[M]
	head    *int64
	// width is in milliseconds.
	width int64
}

func (u *Uptime) rings() (minutes ring[uint16], hours, days ring[uint32]) {
	return ring[uint16]{u.minutes[:], &u.heads[0], time.Minute.Milliseconds()},
		ring[uint32]{u.hours[:], &u.heads[1], time.Hour.Milliseconds()},
		ring[uint32]{u.days[:], &u.heads[2], 24 * time.Hour.Milliseconds()}
}

// Add adds a stretch of known time that ends at to, healthy or not. Stretches may overlap and come out of order: no bucket
// knows more than its own time. If the clock was set meanwhile, the stretch is as long as the monotonic readings say. What
// a clock recorded that was ahead is left out until its time comes; where it was ahead by more than a ring's whole time,
// that ring begins anew.
func (u *Uptime) Add(from, to time.Time, healthy bool) {
	lasted := to.Sub(from).Milliseconds()
	if lasted <= 0 {
		return
	}
	end := to.UnixMilli()
	minutes, hours, days := u.rings()
	minutes.add(end-lasted, end, healthy)
	hours.add(end-lasted, end, healthy)
	days.add(end-lasted, end, healthy)
}

// Availability returns the availability at a time.
func (u *Uptime) Availability(now time.Time) Availability {
	at := now.UnixMilli()
	minutes, hours, days := u.rings()
	return Availability{Hour: minutes.availability(at), Day: hours.availability(at), Month: days.availability(at)}
}

func (r ring[M]) len() int64 { return int64(len(r.buckets)) }

// add adds the time between two moments, as far as the ring looks back.
func (r ring[M]) add(from, to int64, healthy bool) {
	last := floorDiv(to, r.width)
	r.reach(last)
	for n := max(floorDiv(from, r.width), *r.head-r.len()+1); n <= last; n++ {
		known := min(to, (n+1)*r.width) - max(from, n*r.width)
		r.at(n).add(known, r.width, healthy)
	}
}

func (b *bucket[M]) add(known, width int64, healthy bool) {
	known = min(known, width-int64(b.known))
	b.known += M(known) // at most the width
	if healthy {
		b.up += M(known)
	}
}

// reach makes room for a bucket. The ring begins anew where it ends: after a long time, or when the clock was ahead.
func (r ring[M]) reach(n int64) {
	distance := n - *r.head
	switch {
	case distance >= r.len() || distance <= -r.len():
		clear(r.buckets)
		*r.head = n
	case distance > 0:
		for ; *r.head < n; *r.head++ {
			*r.at(*r.head + 1) = bucket[M]{}
		}
	}
}

func (r ring[M]) availability(now int64) float64 {
	last := floorDiv(now, r.width)
	var up, known int64
	for n := max(last, *r.head) - r.len() + 1; n <= min(last, *r.head); n++ {
		b := r.at(n)
		up += int64(b.up)
		known += int64(b.known)
	}
	if known == 0 {
		return -1
	}
	return float64(up) / float64(known)
}

func (r ring[M]) at(n int64) *bucket[M] {
	return &r.buckets[n-floorDiv(n, r.len())*r.len()]
}

func floorDiv(n, by int64) int64 {
	q := n / by
	if n%by < 0 {
		q--
	}
	return q
}

package health

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// uptimeVersion is the first byte of an [Uptime] in its binary form. After it comes each ring: the number of its latest
// bucket, then from the oldest bucket on the milliseconds healthy and those known but not healthy. All are varints.
const uptimeVersion = 1

// maxHead is beyond any number of a bucket that a time has.
const maxHead = 1 << 50

var errUptime = errors.New("corrupt uptime: drop it, availability starts anew")

// MarshalBinary returns the binary form, about half a KiB. It never fails.
func (u *Uptime) MarshalBinary() ([]byte, error) {
	data := make([]byte, 1, 640)
	data[0] = uptimeVersion
	minutes, hours, days := u.rings()
	return days.append(hours.append(minutes.append(data))), nil
}

func (r ring[M]) append(data []byte) []byte {
	data = binary.AppendVarint(data, *r.head)
	for n := *r.head - r.len() + 1; n <= *r.head; n++ {
		b := r.at(n)
		data = binary.AppendUvarint(data, uint64(b.up))
		data = binary.AppendUvarint(data, uint64(b.known-b.up))
	}
	return data
}

// UnmarshalBinary replaces u by what the data says. Data that no MarshalBinary can have made is an error and leaves u as
// it is.
func (u *Uptime) UnmarshalBinary(data []byte) error {
	if len(data) == 0 || data[0] != uptimeVersion {
		return fmt.Errorf("%w: it is not of version %d", errUptime, uptimeVersion)
	}
	d := decoder{rest: data[1:]}
	var read Uptime
	minutes, hours, days := read.rings()
	minutes.read(&d)
	hours.read(&d)
	days.read(&d)
	if d.bad || len(d.rest) > 0 {
		return errUptime
	}
	*u = read
	return nil
}

func (r ring[M]) read(d *decoder) {
	*r.head = d.varint(maxHead)
	for n := *r.head - r.len() + 1; n <= *r.head; n++ {
		up := d.uvarint(r.width)
		known := up + d.uvarint(r.width-up)
		*r.at(n) = bucket[M]{up: M(up), known: M(known)}
	}
}

// decoder reads numbers within bounds. After the first that is not there it is bad, and all are 0.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) uvarint(most int64) int64 {
	v, n := binary.Uvarint(d.rest)
	if d.bad || n <= 0 || v > uint64(most) { //nolint:gosec // most is not negative
		d.bad = true
		return 0
	}
	d.rest = d.rest[n:]
	return int64(v) //nolint:gosec // at most a day of milliseconds
}

func (d *decoder) varint(most int64) int64 {
	v, n := binary.Varint(d.rest)
	if d.bad || n <= 0 || v > most || v < -most {
		d.bad = true
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

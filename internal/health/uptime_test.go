package health_test

import (
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterfleet/clusterfleet/internal/health"
)

const day = 24 * time.Hour

// stretch is known time.
type stretch struct {
	from, to time.Duration
	healthy  bool
}

func uptimeOf(stretches ...stretch) *health.Uptime {
	var u health.Uptime
	for _, s := range stretches {
		u.Add(at(s.from), at(s.to), s.healthy)
	}
	return &u
}

func equalAvailability(t *testing.T, when string, want, got health.Availability) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("%s: %s", when, diff)
	}
}

// The tests begin at noon.
func TestAvailabilityIsThePartOfTheKnownTime(t *testing.T) {
	cases := map[string]struct {
		stretches []stretch
		now       time.Duration
		want      health.Availability
	}{
		"nothing known":                  {nil, 0, health.Availability{Hour: -1, Day: -1, Month: -1}},
		"always healthy":                 {[]stretch{{0, time.Minute, true}}, time.Minute, health.Availability{Hour: 1, Day: 1, Month: 1}},
		"never healthy":                  {[]stretch{{0, 10 * second, false}}, 10 * second, health.Availability{}},
		"a quarter down":                 {[]stretch{{0, 30 * second, true}, {30 * second, 40 * second, false}}, 40 * second, health.Availability{Hour: 0.75, Day: 0.75, Month: 0.75}},
		"unknown time does not count":    {[]stretch{{0, 30 * second, true}, {10 * time.Minute, 10*time.Minute + 10*second, false}}, 11 * time.Minute, health.Availability{Hour: 0.75, Day: 0.75, Month: 0.75}},
		"a minute down two hours ago":    {[]stretch{{0, time.Minute, false}, {time.Minute, 2 * time.Hour, true}}, 2 * time.Hour, health.Availability{Hour: 1, Day: 119. / 120, Month: 119. / 120}},
		"an hour down two days ago":      {[]stretch{{0, time.Hour, false}, {time.Hour, 2 * day, true}}, 2 * day, health.Availability{Hour: 1, Day: 1, Month: 47. / 48}},
		"a stretch of days":              {[]stretch{{0, 3 * day, true}}, 3 * day, health.Availability{Hour: 1, Day: 1, Month: 1}},
		"forgotten after an hour":        {[]stretch{{0, time.Minute, false}}, time.Hour, health.Availability{Hour: -1}},
		"not forgotten before":           {[]stretch{{0, time.Minute, false}}, time.Hour - ms, health.Availability{}},
		"forgotten after a day":          {[]stretch{{0, time.Minute, false}}, day, health.Availability{Hour: -1, Day: -1}},
		"forgotten after 30 days":        {[]stretch{{0, time.Minute, false}}, 30 * day, health.Availability{Hour: -1, Day: -1, Month: -1}},
		"silence, then a new beginning":  {[]stretch{{0, time.Minute, false}, {40 * day, 40*day + second, true}}, 40*day + second, health.Availability{Hour: 1, Day: 1, Month: 1}},
		"no time at all":                 {[]stretch{{0, 0, true}}, 0, health.Availability{Hour: -1, Day: -1, Month: -1}},
		"time that goes backwards":       {[]stretch{{second, 0, true}}, 0, health.Availability{Hour: -1, Day: -1, Month: -1}},
		"out of order":                   {[]stretch{{30 * time.Minute, 33 * time.Minute, true}, {0, time.Minute, false}}, 33 * time.Minute, health.Availability{Hour: 0.75, Day: 0.75, Month: 0.75}},
		"the same time twice":            {[]stretch{{0, time.Minute, true}, {0, time.Minute, false}}, time.Minute, health.Availability{Hour: 1, Day: 0.5, Month: 0.5}},
		"ahead of the clock":             {[]stretch{{0, time.Minute, true}, {30 * time.Minute, 33 * time.Minute, false}}, time.Minute, health.Availability{Hour: 1, Day: 0.25, Month: 0.25}},
		"until the clock gets there":     {[]stretch{{0, time.Minute, true}, {30 * time.Minute, 33 * time.Minute, false}}, 33 * time.Minute, health.Availability{Hour: 0.25, Day: 0.25, Month: 0.25}},
		"far ahead of the clock":         {[]stretch{{40 * day, 40*day + time.Minute, false}, {0, time.Minute, true}}, time.Minute, health.Availability{Hour: 1, Day: 1, Month: 1}},
		"before 1970":                    {[]stretch{{-60 * 365 * day, -60*365*day + 90*second, true}}, -60*365*day + 90*second, health.Availability{Hour: 1, Day: 1, Month: 1}},
		"healthy at the edge of an hour": {[]stretch{{time.Hour - second, time.Hour + second, true}, {time.Hour + second, time.Hour + 2*second, false}}, time.Hour + 2*second, health.Availability{Hour: 2. / 3, Day: 2. / 3, Month: 2. / 3}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			equalAvailability(t, "before", c.want, uptimeOf(c.stretches...).Availability(at(c.now)))
		})
	}
}

func TestAvailabilityIsThatOfEveryMillisecondAddedInTurn(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 6))
		var u health.Uptime
		var added []stretch
		now := time.Duration(random.Int64N(int64(day)))
		for range 500 {
			next := now + time.Duration(random.IntN(7_200_000))*ms
			s := stretch{now, next, random.IntN(3) > 0}
			now = next
			if random.IntN(4) == 0 {
				continue // unknown
			}
			u.Add(at(s.from), at(s.to), s.healthy)
			added = append(added, s)
		}
		// back returns the availability since the beginning of the bucket that is n buckets back.
		back := func(n int64, width time.Duration) float64 {
			first := (at(now).UnixMilli()/width.Milliseconds() - n + 1) * width.Milliseconds()
			var up, known int64
			for _, s := range added {
				lasted := at(s.to).UnixMilli() - max(first, at(s.from).UnixMilli())
				if lasted <= 0 {
					continue
				}
				known += lasted
				if s.healthy {
					up += lasted
				}
			}
			if known == 0 {
				return -1
			}
			return float64(up) / float64(known)
		}
		want := health.Availability{Hour: back(60, time.Minute), Day: back(24, time.Hour), Month: back(30, day)}
		equalAvailability(t, "random", want, u.Availability(at(now)))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestUptimeOutlivesTheProcess(t *testing.T) {
	cases := map[string]*health.Uptime{
		"empty":       uptimeOf(),
		"a month":     uptimeOf(stretch{-20 * day, -10 * day, true}, stretch{-10 * day, -9 * day, false}, stretch{-day, 0, true}),
		"before 1970": uptimeOf(stretch{-60*365*day - time.Hour, -60 * 365 * day, true}),
	}
	for name, u := range cases {
		t.Run(name, func(t *testing.T) {
			data, err := u.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			if len(data) > 1100 {
				t.Errorf("%d bytes, want at most 1,100", len(data))
			}
			read := uptimeOf(stretch{0, time.Hour, false})
			if err := read.UnmarshalBinary(data); err != nil {
				t.Fatal(err)
			}
			if *read != *u {
				t.Errorf("read %+v, want %+v", *read, *u)
			}
		})
	}
}

// What is stored outlives the process, and its version.
func TestTheBinaryFormOfUptimeStaysAsItIs(t *testing.T) {
	u := uptimeOf(stretch{-90 * second, -30 * second, false})
	stored := "01" +
		"def1951c" + strings.Repeat("0000", 58) + "00b0ea01" + "00b0ea01" +
		"c68c3c" + strings.Repeat("0000", 23) + "00e0d403" +
		"c2c002" + strings.Repeat("0000", 29) + "00e0d403"
	data, err := u.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(stored, hex.EncodeToString(data)); diff != "" {
		t.Error(diff)
	}
	var read health.Uptime
	if err := read.UnmarshalBinary(data); err != nil || read != *u {
		t.Errorf("read %+v, want %+v, %v", read, *u, err)
	}
}

func TestCorruptUptimeIsAnErrorAndChangesNothing(t *testing.T) {
	good, err := uptimeOf(stretch{-20 * day, 0, true}).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	empty, err := uptimeOf().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	// with replaces a byte of an empty uptime: 0 is the version, 1 the head of the minutes, 2 the time healthy in the
	// first of them and 3 the time not healthy.
	with := func(i int, by ...byte) []byte {
		return slices.Replace(slices.Clone(empty), i, i+1, by...)
	}
	minute := []byte{0xe0, 0xd4, 0x03} // 60,000 ms
	var u health.Uptime
	if err := u.UnmarshalBinary(with(2, minute...)); err != nil {
		t.Fatalf("a minute in a minute: %v", err)
	}
	cases := map[string][]byte{
		"nothing":                                  nil,
		"another version":                          with(0, 2),
		"cut short":                                good[:len(good)-1],
		"a byte too many":                          append(slices.Clip(good), 0),
		"more than a minute in a minute":           with(2, 0xe1, 0xd4, 0x03),
		"more than a minute, healthy and not":      slices.Replace(with(2, minute...), 5, 6, 1),
		"a number that is too long":                with(2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
		"a head that is too far":                   with(1, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
		"a head that is too far before the others": with(1, 0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
	}
	for name, data := range cases {
		t.Run(name, func(t *testing.T) {
			u, before := uptimeOf(stretch{0, time.Hour, true}), uptimeOf(stretch{0, time.Hour, true})
			if err := u.UnmarshalBinary(data); err == nil {
				t.Error("no error")
			}
			if *u != *before {
				t.Error("it has changed")
			}
		})
	}
}

func TestUptimeIsCompact(t *testing.T) {
	if size := unsafe.Sizeof(health.Uptime{}); size > 700 {
		t.Errorf("%d bytes, want at most 700", size)
	}
}

func FuzzUnmarshalUptime(f *testing.F) {
	for _, u := range []*health.Uptime{uptimeOf(), uptimeOf(stretch{-20 * day, 0, true}), uptimeOf(stretch{-time.Hour, 0, false})} {
		data, err := u.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var u health.Uptime
		if u.UnmarshalBinary(data) != nil {
			return
		}
		written, err := u.MarshalBinary()
		if err != nil || len(written) > len(data) {
			t.Fatalf("%d bytes become %d, %v", len(data), len(written), err)
		}
		var again health.Uptime
		if err := again.UnmarshalBinary(written); err != nil || again != u {
			t.Fatalf("what was written is not what was read: %v", err)
		}
		u.Add(at(0), at(day), true)
		u.Add(at(day), at(day+time.Hour), false)
		a := u.Availability(at(day + time.Hour))
		for _, part := range []float64{a.Hour, a.Day, a.Month} {
			if part < 0 || part > 1 {
				t.Fatalf("availability %+v", a)
			}
		}
	})
}

func BenchmarkUptimeAdd(b *testing.B) {
	var u health.Uptime
	b.ReportAllocs()
	for i := range b.N {
		u.Add(at(time.Duration(i)*10*second), at(time.Duration(i+1)*10*second), true)
	}
}

func BenchmarkAvailability(b *testing.B) {
	u := uptimeOf(stretch{-20 * day, 0, true})
	b.ReportAllocs()
	for b.Loop() {
		u.Availability(at(0))
	}
}

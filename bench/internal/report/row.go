// Package report says what the benchmarks found: rows of one table, each with its floor, its target and its peers.
package report

// Row is one line of the table: a piece of work, what it takes the product, and what it is held against.
type Row struct {
	// Number is the row's number among those that the design promises; 0 if it is not one of them. Rows that together
	// are one promise share it.
	Number int
	// Work says what was done and what was measured of it.
	Work string
	// Ours is the product's figure.
	Ours Quantity
	// Floor is the least that the work can take, measured or computed in the same run. The zero Quantity: there is none.
	Floor Quantity
	// Target is what is to be reached. The zero Target: nothing.
	Target Target
	// Must says that to miss the target is a defect, on whatever machine: the row is not about time or memory.
	Must bool
	// Peers are other ways to do the same work, measured in the same run.
	Peers []Peer
	// Notes say what a reader has to know to believe the row.
	Notes []string
}

// Peer is another way to do a row's work.
type Peer struct {
	Name  string
	Value Quantity
	// Note is what else is to be known of it, in a few words.
	Note string
}

// Ratio returns the product's figure as a multiple of the floor; false if there is no floor. Of a rate, of which more is
// better, it is how many times as long as the floor the product takes.
func (r Row) Ratio() (Quantity, bool) { return ratio(r.Ours, r.Floor) }

func ratio(value, floor Quantity) (Quantity, bool) {
	if floor.Unit == BytePerSecond {
		value, floor = floor, value
	}
	if floor.Value == 0 {
		return Quantity{}, false
	}
	return Times(value.Value / floor.Value), true
}

// Target is a bound on a row's figure or, if it is a multiple and the figure is none, on its ratio.
type Target struct {
	bound Quantity
	least bool
}

// AtMost is the target of a figure, or with Times of a ratio, that does not exceed q.
func AtMost(q Quantity) Target { return Target{bound: q} }

// AtLeast is the target of a figure that is not below q.
func AtLeast(q Quantity) Target { return Target{bound: q, least: true} }

// String returns the target as the table has it.
func (t Target) String() string {
	switch {
	case t.bound.Unit == None:
		return ""
	case t.least:
		return "≥ " + t.bound.bound()
	}
	return "≤ " + t.bound.bound()
}

func (t Target) met(value Quantity) bool {
	if t.least {
		return value.Value >= t.bound.Value
	}
	return value.Value <= t.bound.Value
}

// Verdict says whether a row meets its target.
type Verdict string

// The verdicts. A row without a target, or with a target of a ratio that it does not have, is not judged.
const (
	Met       Verdict = "met"
	Missed    Verdict = "not met"
	NotJudged Verdict = ""
)

// judge returns how the rows of a run are judged: of a short one, only those that must hold.
func judge(short bool) func(Row) Verdict {
	if short {
		return Row.duty
	}
	return Row.Verdict
}

// duty is the verdict of a row that must hold; others are not judged.
func (r Row) duty() Verdict {
	if !r.Must {
		return NotJudged
	}
	return r.Verdict()
}

// Verdict holds the row against its target.
func (r Row) Verdict() Verdict {
	value := r.Ours
	switch {
	case r.Target.bound.Unit == None:
		return NotJudged
	case r.Target.bound.Unit == Multiple && value.Unit != Multiple:
		multiple, ok := r.Ratio()
		if !ok {
			return NotJudged
		}
		value = multiple
	}
	if !r.Target.met(value) {
		return Missed
	}
	return Met
}

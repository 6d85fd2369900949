package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
)

// row is a row of the benchmarks' table, as bench -json writes it.
type row struct {
	Number int       `json:"number"`
	Work   string    `json:"work"`
	Ours   quantity  `json:"ours"`
	Floor  *quantity `json:"floor"`
	Ratio  float64   `json:"ratio"`
	Peers  []struct {
		Name  string   `json:"name"`
		Value quantity `json:"value"`
		Ratio float64  `json:"ratio"`
	} `json:"peers"`
}

// quantity is in the unit's base: s, B, B/s, × or pieces.
type quantity struct {
	Value  float64   `json:"value"`
	Unit   string    `json:"unit"`
	Rounds []float64 `json:"rounds"`
}

// measured is a run of the benchmarks.
type measured struct {
	Short bool  `json:"short"`
	Rows  []row `json:"rows"` // in the order of their numbers
}

// title is that of a picture, with what one has to know of the run.
func (m measured) title(text string) string {
	if m.Short {
		return text + " (a quick run: its figures say little)"
	}
	return text
}

func readRun(file string) (measured, error) {
	var m measured
	text, err := os.ReadFile(file)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%s: %w", file, err)
	}
	if len(m.Rows) == 0 {
		return m, fmt.Errorf("%s has no rows", file)
	}
	slices.SortStableFunc(m.Rows, func(a, b row) int { return a.Number - b.Number })
	return m, nil
}

// Who a value belongs to: it decides the colour.
const (
	ours = iota
	floor
	peer
)

// entry is a line of a picture below the heading of its group.
type entry struct {
	who    int
	name   string
	values []float64 // of a bar: one
	text   string    // beside a bar
}

// group is a row of the table in a picture.
type group struct {
	heading string
	entries []entry
}

func heading(r row) string { return strconv.Itoa(r.Number) + " · " + r.Work }

// ratios are the promised rows that have a floor, with all who do the same work.
func ratios(rows []row) []group {
	var groups []group
	for _, r := range rows {
		if r.Number == 0 || r.Ratio <= 0 {
			continue
		}
		g := group{heading(r), []entry{{ours, "ours", []float64{r.Ratio}, times(r.Ratio)}}}
		for _, p := range r.Peers {
			if p.Ratio > 0 {
				g.entries = append(g.entries, entry{peer, p.Name, []float64{p.Ratio}, times(p.Ratio)})
			}
		}
		groups = append(groups, g)
	}
	return groups
}

// memory are the promised rows about memory.
func memory(rows []row) []group {
	var groups []group
	for _, r := range rows {
		if r.Number == 0 || r.Ours.Unit != "B" || r.Ours.Value <= 0 {
			continue
		}
		bar := func(who int, name string, q quantity) entry {
			return entry{who, name, []float64{q.Value / 1e6}, megabytes(q.Value)}
		}
		g := group{heading(r), []entry{bar(ours, "ours", r.Ours)}}
		if r.Floor != nil && r.Floor.Value > 0 {
			g.entries = append(g.entries, bar(floor, "floor", *r.Floor))
		}
		for _, p := range r.Peers {
			if p.Value.Unit == "B" && p.Value.Value > 0 {
				g.entries = append(g.entries, bar(peer, p.Name, p.Value))
			}
		}
		groups = append(groups, g)
	}
	return groups
}

// leastRounds is how many rounds show how far they are apart.
const leastRounds = 2

// rounds are the promised rows with each round of each contestant, as a multiple of what the table quotes of it.
func rounds(rows []row) []group {
	var groups []group
	for _, r := range rows {
		g := group{heading: heading(r)}
		add := func(who int, name string, q quantity) {
			if len(q.Rounds) < leastRounds || q.Value <= 0 {
				return
			}
			e := entry{who: who, name: name}
			for _, v := range q.Rounds {
				e.values = append(e.values, v/q.Value)
			}
			g.entries = append(g.entries, e)
		}
		if r.Number == 0 {
			continue
		}
		add(ours, "ours", r.Ours)
		if r.Floor != nil {
			add(floor, "floor", *r.Floor)
		}
		for _, p := range r.Peers {
			add(peer, p.Name, p.Value)
		}
		if len(g.entries) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

func times(x float64) string {
	if x >= 100 {
		return strconv.FormatFloat(x, 'f', 0, 64) + " ×"
	}
	return strconv.FormatFloat(x, 'f', 2, 64) + " ×"
}

func megabytes(x float64) string { return strconv.FormatFloat(x/1e6, 'f', 0, 64) + " MB" }

package report_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/clusterfleet/clusterfleet/bench/internal/machine"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestQuantityIsPrintedInTheUnitOfItsSize(t *testing.T) {
	for want, q := range map[string]report.Quantity{
		"22.4 µs":   report.Duration(22400 * time.Nanosecond),
		"19.0 ms":   report.Duration(19 * time.Millisecond),
		"0.503 s":   report.Duration(503 * time.Millisecond),
		"37.2 s":    report.Duration(37210 * time.Millisecond),
		"-1.0 µs":   report.Duration(-time.Microsecond),
		"147 MB":    report.Bytes(147_200_000),
		"-5 MB":     report.Bytes(-5e6),
		"1.50 GB":   report.Bytes(1_500_000_000),
		"1.50 ×":    report.Times(1.499),
		"1000":      report.Count(1000),
		"1.79 GB/s": report.Rate(1.79e9),
		"900 MB/s":  report.Rate(9e8),
		"":          {},
	} {
		if got := q.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestVerdictHoldsTheFigureOrItsRatioAgainstTheTarget(t *testing.T) {
	row := report.Row{Ours: report.Duration(30 * time.Microsecond), Floor: report.Duration(20 * time.Microsecond)}
	for _, test := range []struct {
		name   string
		target report.Target
		want   report.Verdict
	}{
		{"no target", report.Target{}, report.NotJudged},
		{"ratio at its bound", report.AtMost(report.Times(1.5)), report.Met},
		{"ratio above", report.AtMost(report.Times(1.4)), report.Missed},
		{"figure below", report.AtMost(report.Duration(31 * time.Microsecond)), report.Met},
		{"figure above", report.AtMost(report.Duration(29 * time.Microsecond)), report.Missed},
	} {
		row.Target = test.target
		if got := row.Verdict(); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	floorless := report.Row{Ours: row.Ours, Target: report.AtMost(report.Times(2))}
	if got := floorless.Verdict(); got != report.NotJudged {
		t.Errorf("a ratio without a floor: %q, want it not judged", got)
	}
}

func TestTableHasPeersBelowTheirRowAndNotesBelowAll(t *testing.T) {
	var b strings.Builder
	err := report.Write(&b, someMachine(0.1), false, []report.Row{
		{
			Number: 1, Work: "probe", Ours: report.Duration(30 * time.Microsecond), Floor: report.Duration(20 * time.Microsecond),
			Target: report.AtMost(report.Times(2)),
			Peers:  []report.Peer{{Name: "net/http", Value: report.Duration(50 * time.Microsecond), Note: "kept well"}},
			Notes:  []string{"64 at once"},
		},
		{Work: "peak RSS", Ours: report.Bytes(300e6), Target: report.AtMost(report.Bytes(256e6))},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `#  work          ours     floor    ratio   target
1  probe         30.0 µs  20.0 µs  1.50 ×  ≤ 2 ×     met
     · net/http  50.0 µs           2.50 ×            kept well
   peak RSS      300 MB                    ≤ 256 MB  not met

2 cores of Some CPU with 8 GB, Linux 6.18, go1.26; load average 0.10 when the run began.

probe: 64 at once
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestShortRunJudgesOnlyWhatMustHoldAndABusyMachineIsToldOf(t *testing.T) {
	var b strings.Builder
	err := report.Write(&b, someMachine(2.5), true, []report.Row{
		{Work: "slow", Ours: report.Duration(2 * time.Second), Target: report.AtMost(report.Duration(time.Second))},
		{Work: "left", Ours: report.Count(0), Target: report.AtMost(report.Count(0)), Must: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `A quick run, to see that everything works: its figures say little, and only rows that must hold are judged.
#  work  ours     floor  ratio  target
   slow  2.000 s                ≤ 1 s
   left  0                      ≤ 0  met

2 cores of Some CPU with 8 GB, Linux 6.18, go1.26; load average 2.50 when the run began.
Warning: the machine was busy when the run began, with more than one program a core. Measure again when it is idle.

`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func someMachine(load float64) machine.Machine {
	return machine.Machine{CPU: "Some CPU", Cores: 2, MemoryBytes: 8e9, Kernel: "6.18", Go: "go1.26", Load: load}
}

func TestRateIsBetterTheMoreItIs(t *testing.T) {
	row := report.Row{Ours: report.Rate(2e9), Floor: report.Rate(10e9), Target: report.AtLeast(report.Rate(1.6e9))}
	if multiple, ok := row.Ratio(); !ok || multiple.Value != 5 {
		t.Errorf("a fifth of the floor's rate is %v, want 5 times its time", multiple)
	}
	if got := row.Verdict(); got != report.Met {
		t.Errorf("above its bound: %q", got)
	}
	row.Ours = report.Rate(1.5e9)
	if got := row.Verdict(); got != report.Missed {
		t.Errorf("below its bound: %q", got)
	}
}

func TestSumsKeepTheirRounds(t *testing.T) {
	median := report.Median([]time.Duration{3 * time.Second, time.Second, 2 * time.Second})
	if diff := cmp.Diff(report.Quantity{Value: 2, Unit: report.Second, Rounds: []float64{3, 1, 2}}, median); diff != "" {
		t.Errorf("median (-want +got):\n%s", diff)
	}
	most := report.Most([]int64{5, 7, 6})
	if diff := cmp.Diff(report.Quantity{Value: 7, Unit: report.Byte, Rounds: []float64{5, 7, 6}}, most); diff != "" {
		t.Errorf("most (-want +got):\n%s", diff)
	}
}

func TestPageGetsAnotherTableAndKeepsTheRest(t *testing.T) {
	const before, after = "# Figures\n\n<!-- the table: make bench-docs -->\n", "<!-- the end of the table -->\n\nRemarks.\n"
	page, err := report.ParsePage([]byte(before + "old\n" + after))
	if err != nil {
		t.Fatal(err)
	}
	rows := []report.Row{{Number: 4, Work: "fan-out", Ours: report.Duration(time.Second), Notes: []string{"warm"}}}
	var b strings.Builder
	m := someMachine(0)
	if err := page.Write(&b, m, time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC), rows); err != nil {
		t.Fatal(err)
	}
	want := before + "\n2026-11-01: " + m.String() + ".\n\n```\n#  work     ours  floor  ratio  target\n4  fan-out  1.000 s\n```\n\n- **fan-out**: warm.\n\n" + after
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
	if again, err := report.ParsePage([]byte(b.String())); err != nil || !cmp.Equal(page, again, cmp.AllowUnexported(report.Page{})) {
		t.Errorf("what was written is not read the same: %v", err)
	}
	for _, text := range []string{"", before, after, after + before} {
		if _, err := report.ParsePage([]byte(text)); err == nil {
			t.Errorf("%q is no page with a table, and no error", text)
		}
	}
}

func TestDocumentOfAShortRunJudgesOnlyWhatMustHold(t *testing.T) {
	d := report.NewDocument(machine.Machine{}, time.Time{}, true, []report.Row{
		{Work: "slow", Ours: report.Duration(2 * time.Second), Target: report.AtMost(report.Duration(time.Second))},
		{Work: "left", Ours: report.Count(0), Target: report.AtMost(report.Count(0)), Must: true},
	})
	if slow, left := d.Rows[0].Verdict, d.Rows[1].Verdict; !d.Short || slow != report.NotJudged || left != report.Met {
		t.Errorf("short %t; slow: %q, left: %q", d.Short, slow, left)
	}
}

func TestDocumentHoldsRowsWithTheirRoundsAndPeers(t *testing.T) {
	began := time.Date(2026, 11, 1, 12, 0, 0, 5, time.UTC)
	d := report.NewDocument(machine.Machine{Cores: 2}, began, false, []report.Row{{
		Number: 9, Work: "cold", Ours: report.Median([]time.Duration{time.Second, 3 * time.Second}), Floor: report.Duration(time.Second),
		Target: report.AtMost(report.Times(1.3)), Peers: []report.Peer{{Name: "peer", Value: report.Duration(4 * time.Second), Note: "n"}},
	}, {Work: "memory", Ours: report.Bytes(5)}})
	var b strings.Builder
	if err := d.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "machine")
	want := map[string]any{"began": "2026-11-01T12:00:00Z", "short": false, "rows": []any{
		map[string]any{
			"number": 9.0, "work": "cold", "ours": map[string]any{"value": 2.0, "unit": "s", "rounds": []any{1.0, 3.0}},
			"floor": map[string]any{"value": 1.0, "unit": "s"}, "ratio": 2.0, "target": "≤ 1.3 ×", "verdict": "not met",
			"peers": []any{map[string]any{"name": "peer", "value": map[string]any{"value": 4.0, "unit": "s"}, "ratio": 4.0, "note": "n"}},
		},
		map[string]any{"work": "memory", "ours": map[string]any{"value": 5.0, "unit": "B"}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
}

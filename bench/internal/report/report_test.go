package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/clusterfleet/clusterfleet/bench/internal/report"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestQuantityIsPrintedInTheUnitOfItsSize(t *testing.T) {
	for want, q := range map[string]report.Quantity{
		"22.4 µs": report.Duration(22400 * time.Nanosecond),
		"19.0 ms": report.Duration(19 * time.Millisecond),
		"0.503 s": report.Duration(503 * time.Millisecond),
		"37.2 s":  report.Duration(37210 * time.Millisecond),
		"147 MB":  report.Bytes(147_200_000),
		"1.50 GB": report.Bytes(1_500_000_000),
		"1.50 ×":  report.Times(1.499),
		"1000":    report.Count(1000),
		"":        {},
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
	err := report.Write(&b, []report.Row{
		{
			Work: "probe", Ours: report.Duration(30 * time.Microsecond), Floor: report.Duration(20 * time.Microsecond),
			Target: report.AtMost(report.Times(2)),
			Peers:  []report.Peer{{Name: "net/http", Value: report.Duration(50 * time.Microsecond), Note: "kept well"}},
			Notes:  []string{"64 at once"},
		},
		{Work: "peak RSS", Ours: report.Bytes(300e6), Target: report.AtMost(report.Bytes(256e6))},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `work          ours     floor    ratio   target
probe         30.0 µs  20.0 µs  1.50 ×  ≤ 2 ×     met
  · net/http  50.0 µs           2.50 ×            kept well
peak RSS      300 MB                    ≤ 256 MB  not met

probe: 64 at once
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

package machine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMachineIsReadFromTheSystem(t *testing.T) {
	m := This()
	if m.Cores < 1 || m.MemoryBytes < 1<<20 || m.Kernel == "" || m.Go == "" {
		t.Errorf("got %+v", m)
	}
}

func TestMachineIsBusyAboveOneProgramACore(t *testing.T) {
	for load, want := range map[float64]bool{0: false, 2: false, 2.01: true} {
		if got := (Machine{Cores: 2, Load: load}).Busy(); got != want {
			t.Errorf("load %v: %v", load, got)
		}
	}
}

func TestFieldIsTheFirstOfItsName(t *testing.T) {
	text := "processor\t: 0\nmodel name\t: Some: CPU @ 2 GHz\nprocessor\t: 1\nmodel name\t: another\n"
	if got := field(text, "model name"); got != "Some: CPU @ 2 GHz" {
		t.Errorf("got %q", got)
	}
	if got := field(text, "model"); got != "" {
		t.Errorf("no such field: got %q", got)
	}
	if got := kib("24 kB"); got != 24<<10 {
		t.Errorf("24 kB is %d", got)
	}
}

func TestMachineIsOneSentence(t *testing.T) {
	m := Machine{CPU: "Some CPU", Cores: 2, MemoryBytes: 23.4e9, Kernel: "6.18", Go: "go1.26.8", Load: 0.1}
	if diff := cmp.Diff("2 cores of Some CPU with 23 GB, Linux 6.18, go1.26.8; load average 0.10 when the run began", m.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

package process

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"
)

// peak is the line of /proc/PID/status that says how much memory a process ever had.
var peak = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// PeakRSS returns the most memory that the program ever had resident, in bytes. It needs Linux's /proc.
func (p *Process) PeakRSS(t testing.TB) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		t.Fatal(err)
	}
	found := peak.FindSubmatch(status)
	if found == nil {
		t.Fatalf("no VmHWM in %s", status)
	}
	kilobytes, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

// screen is a terminal of 120 columns.
type screen struct {
	terminal *os.File
	// seen is closed when the awaited text is shown.
	seen chan struct{}

	control *os.File
	shown   bytes.Buffer
	ended   chan error
}

func newScreen(t *testing.T, awaited string) *screen {
	t.Helper()
	control, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: 24, Cols: 120}); err != nil {
		t.Fatal(err)
	}
	s := &screen{terminal: terminal, seen: make(chan struct{}), control: control, ended: make(chan error, 1)}
	go func() { s.ended <- s.read(awaited) }()
	return s
}

func (s *screen) read(awaited string) error {
	told := false
	for buffer := make([]byte, 4096); ; {
		n, err := s.control.Read(buffer)
		s.shown.Write(buffer[:n])
		if !told && awaited != "" && bytes.Contains(s.shown.Bytes(), []byte(awaited)) {
			told = true
			close(s.seen)
		}
		switch {
		case errors.Is(err, syscall.EIO), errors.Is(err, io.EOF): // So a terminal ends.
			return nil
		case err != nil:
			return err
		}
	}
}

// end closes the terminal and returns what it showed.
func (s *screen) end(t *testing.T) string {
	t.Helper()
	if err := errors.Join(s.terminal.Close(), <-s.ended, s.control.Close()); err != nil {
		t.Error(err)
	}
	return strings.ReplaceAll(s.shown.String(), "\r\n", "\n")
}

func onTerminal(t *testing.T, script clienttest.Script, args ...string) string {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	screen := newScreen(t, "")
	run(t.Context(), append(args, "--server", clienttest.Serve(t, script)), screen.terminal, io.Discard)
	return screen.end(t)
}

func TestStatesAreColouredOnATerminalOnly(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	script := fleet{members: testFleet()}.script()
	const red = "\x1b[31mUNREACHABLE\x1b[0m"
	for _, line := range []string{"probe", "clusters", "watch --once", "history", "overview"} {
		verb := strings.Fields(line)
		if got := onTerminal(t, script, verb...); !strings.Contains(got, red) {
			t.Errorf("%s is without colour:\n%q", verb, got)
		}
		t.Run("NO_COLOR", func(t *testing.T) {
			t.Setenv("NO_COLOR", "1")
			if got := onTerminal(t, script, verb...); strings.Contains(got, "\x1b") || !strings.Contains(got, "UNREACHABLE") {
				t.Errorf("%s is coloured:\n%q", verb, got)
			}
		})
		t.Run("dumb", func(t *testing.T) {
			t.Setenv("TERM", "dumb")
			if got := onTerminal(t, script, verb...); strings.Contains(got, "\x1b") {
				t.Errorf("%s is coloured:\n%q", verb, got)
			}
		})
	}
}

func TestAChangeHasTheColourOfTheStateChangedTo(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	got := onTerminal(t, fleet{members: testFleet()}.script(), "wait", "--for=state=HEALTHY", "prod-3")
	if !strings.Contains(got, "\x1b[32mUNREACHABLE→HEALTHY\x1b[0m") {
		t.Errorf("the terminal shows %q", got)
	}
}

func TestHostileTextReachesNoTerminalInAnyForm(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	for _, line := range []string{
		"probe -o json", "probe -o yaml", "probe -o jsonl", "watch --once -o json", "watch --once -o jsonl", "history -o json", "overview -o yaml", "api-resources", "api-resources -o yaml",
		"overview", "wait --for=state=degraded", "probe -o jsonpath={.items[*].observation.verdict.message}", "clusters -o json",
		"get pods -o json", "get pods -o yaml", "get pods -o jsonl", "get pods -o jsonpath={.items[*].metadata.name}", "get pods", "get pods -o name",
	} {
		got := onTerminal(t, hostileFleet("\u202e\u009b31m\x7f\u200b").script(), strings.Fields(line)...)
		if strings.ContainsAny(got, "\u202e\u009b\x7f\u200b\x1b") || !strings.Contains(got, `u202e`) && !strings.Contains(strings.ToLower(got), `u009b`) {
			t.Errorf("%s shows %q", line, got)
		}
	}
}

func TestProgressIsShownOnATerminalOnStderr(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	screen := newScreen(t, "probing 1/3")
	address := clienttest.Serve(t, firstProbe(func(out probeServer) error {
		select { // The call ends only once the progress was drawn.
		case <-screen.seen:
		case <-out.Context().Done():
		}
		return out.Send(&fleetv1.ProbeClustersResponse{Event: &fleetv1.ProbeClustersResponse_Summary{Summary: &fleetv1.Summary{Succeeded: 3, Expected: 3}}})
	}))
	var stdout strings.Builder
	if code := run(t.Context(), []string{"probe", "--server", address}, &stdout, screen.terminal); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	if got := screen.end(t); !strings.HasSuffix(got, "3 healthy, 0 failed of 3 in -\n") {
		t.Errorf("stderr shows %q", got)
	}
	if strings.Contains(stdout.String(), "probing") {
		t.Errorf("stdout shows %q", stdout.String())
	}
}

func TestThereIsNoProgressWhereNobodyLooksOrResultsStream(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	address := clienttest.Serve(t, fleet{members: testFleet()}.script())
	_, stderr, _ := fleetctl(context.Background(), t, "probe", "prod-1", "--server", address)
	if want := "1 healthy, 0 failed of 1 in 1.25s\n"; stderr != want {
		t.Errorf("stderr %q, want %q", stderr, want)
	}
	screen := newScreen(t, "")
	run(t.Context(), []string{"probe", "prod-1", "-o", "name", "--server", address}, screen.terminal, screen.terminal)
	if got := screen.end(t); got != "prod-1\n" {
		t.Errorf("the terminal shows %q", got)
	}
}

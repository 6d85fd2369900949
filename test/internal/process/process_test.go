package process_test

import (
	"errors"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/clusterfleet/clusterfleet/test/internal/process"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const limit = 10 * time.Second

func TestRunReturnsWhatWasPrintedAndTheExitCode(t *testing.T) {
	cmd := exec.Command("sh", "-c", "echo result; echo complaint >&2; pwd; exit 3")
	cmd.Dir = "/"
	got := process.RunCommand(t, limit, cmd)
	if want := (process.Result{Stdout: "result\n/\n", Stderr: "complaint\n", Code: 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestProgramEndsWithItsTest(t *testing.T) {
	var p *process.Process
	t.Run("test", func(t *testing.T) {
		p = process.Start(t, "sh", "-c", `trap 'echo bye; exit 0' TERM; echo hello; while :; do wait; done`)
		if found := p.Stdout.Await(t, `h(el+)o`); found[1] != "ell" {
			t.Errorf("got %q", found)
		}
	})
	select {
	case <-p.Done():
	default:
		t.Error("the program lives on")
	}
	if got := p.Stdout.String(); got != "hello\nbye\n" {
		t.Errorf("got %q: it was not asked to end", got)
	}
}

func TestProcessLeftBehindIsSeen(t *testing.T) {
	p := process.Start(t, "sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $!")
	if code := p.Wait(t, limit); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	if !p.GroupLives() {
		t.Error("the sleeping child is not seen")
	}
	if err := syscall.Kill(-p.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := process.Poll(t.Context(), func() (bool, error) { return !p.GroupLives(), errors.New("it lives") }); err != nil {
		t.Error(err)
	}
}

func TestKilledProgramIsGone(t *testing.T) {
	p := process.Start(t, "sleep", "60")
	p.Kill(t)
	if code := p.Wait(t, limit); code != -1 {
		t.Errorf("exit code %d", code)
	}
}

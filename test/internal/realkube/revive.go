package realkube

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/clusterfleet/clusterfleet/test/internal/process"
)

// Revive starts the API server Servers[i] again that was killed, at its address and with its etcd, and returns when it is
// ready. It ends with the test.
func (f *Fleet) Revive(t testing.TB, i int) {
	t.Helper()
	server := f.Servers[i]
	if !server.killed.Swap(false) {
		t.Fatalf("%s was not killed", server.Name)
	}
	cmd := exec.Command(server.command[0], server.command[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	p := process.StartCommand(t, cmd)
	server.PID = p.PID()
	err := process.Poll(t.Context(), func() (bool, error) {
		header := http.Header{"Authorization": {"Bearer " + server.Token}}
		status, answer, err := send(t.Context(), server.client, http.MethodGet, server.URL+"/readyz", http.NoBody, header)
		return status == http.StatusOK, fmt.Errorf("status %d: %s: %w", status, answer, err)
	})
	if err != nil {
		t.Fatalf("%s is not ready again: %v", server.Name, err)
	}
}

// commandLine returns what a process was started with.
func commandLine(pid int) ([]string, error) {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00"), err
}

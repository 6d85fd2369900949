// Package realkube gives end-to-end tests real Kubernetes API servers: it runs the program of test/apiserver for the
// length of a test. It decides nothing about what runs on them: tests make their own roles, resources and objects.
//
// The first run on a machine builds kube-apiserver and etcd, which takes minutes; "go run -C test/apiserver . build" does
// it beforehand.
package realkube

import (
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// Fleet is a number of running API servers that know nothing of each other.
type Fleet struct {
	Servers    []*Server
	Kubeconfig string // a file with a context a server, named like it, whose user is the administrator

	t testing.TB
}

// Start runs n servers, called real-1 to real-n, each with apiserverFlags besides its own, and returns when all are
// ready. They end with the test. A test that cannot have them fails.
func Start(t testing.TB, n int, apiserverFlags ...string) *Fleet {
	t.Helper()
	args := []string{"--count", strconv.Itoa(n), "--dir", filepath.Join(t.TempDir(), "servers")}
	for _, flag := range apiserverFlags {
		args = append(args, "--apiserver-flag="+flag)
	}
	fleet := &Fleet{t: t}
	if err := fleet.read(run(t, args)); err != nil {
		t.Fatalf("start %d API servers: %v", n, err)
	}
	for _, server := range fleet.Servers {
		if err := server.connect(t); err != nil {
			t.Fatal(err)
		}
	}
	return fleet
}

// read takes in what the program prints, up to the line that says that all are ready.
func (f *Fleet) read(stdout io.Reader) error {
	lines := json.NewDecoder(stdout)
	for {
		var line struct {
			Server
			Ready      int    `json:"ready"`
			Kubeconfig string `json:"kubeconfig"`
		}
		err := lines.Decode(&line)
		if errors.Is(err, io.EOF) {
			return errors.New("the program ended; its output is above")
		}
		if err != nil {
			return err
		}
		if line.Ready > 0 {
			f.Kubeconfig = line.Kubeconfig
			return nil
		}
		f.Servers = append(f.Servers, &line.Server)
	}
}

// Kill kills the API server Servers[i]: its connections break, and its address refuses new ones from then on. Its etcd
// lives. A server that was killed can be killed again after [Fleet.Revive].
func (f *Fleet) Kill(i int) {
	f.t.Helper()
	server := f.Servers[i]
	if server.killed.Swap(true) {
		f.t.Errorf("%s was killed before", server.Name)
		return
	}
	var err error
	if server.command, err = commandLine(server.PID); err != nil {
		f.t.Errorf("kill %s: %v", server.Name, err)
		return
	}
	if err := syscall.Kill(server.PID, syscall.SIGKILL); err != nil {
		f.t.Errorf("kill %s: %v", server.Name, err)
		return
	}
	if err := server.waitRefused(); err != nil {
		f.t.Errorf("%s still answers after it was killed: %v", server.Name, err)
	}
}

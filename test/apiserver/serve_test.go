package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestServerKnowsItsUsersAndLeavesNothingBehind(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "servers")
	kubeconfigFile := filepath.Join(t.TempDir(), "kubeconfig")
	p := start(t, "--dir", dir, "--kubeconfig-out", kubeconfigFile, "--apiserver-flag=--profiling=false")
	server := p.servers[0]

	t.Run("users", func(t *testing.T) {
		const namespaces = "/api/v1/namespaces"
		tests := map[string]struct {
			token string
			want  int
		}{
			"admin":              {server.Token, http.StatusOK},
			"client certificate": {"", http.StatusOK},
			"limited":            {server.Tokens["limited"], http.StatusForbidden},
			"guest":              {server.Tokens["guest"], http.StatusForbidden},
			"member":             {server.Tokens["member"], http.StatusForbidden},
			"a wrong token":      {"wrong", http.StatusUnauthorized},
		}
		for name, test := range tests {
			status, body := ask(t, server, test.token, namespaces)
			if status != test.want {
				t.Errorf("%s: status %d: %s", name, status, body)
			}
			if status == http.StatusOK && !strings.Contains(body, `"name":"default"`) {
				t.Errorf("%s: no namespace default in: %s", name, body)
			}
		}
	})
	t.Run("version", func(t *testing.T) {
		_, body := ask(t, server, server.Token, "/version")
		var version struct{ Major, Minor, GitVersion string }
		if err := json.Unmarshal([]byte(body), &version); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(version.GitVersion, "v"+version.Major+"."+version.Minor+".") || version.Major != "1" {
			t.Errorf("got %+v", version)
		}
	})
	t.Run("extra flag", func(t *testing.T) {
		if status, _ := ask(t, server, server.Token, "/debug/pprof/"); status != http.StatusNotFound {
			t.Errorf("profiling is not off: status %d", status)
		}
	})
	t.Run("kubeconfig", func(t *testing.T) {
		if p.kubeconfig != kubeconfigFile {
			t.Errorf("announced %s", p.kubeconfig)
		}
		content, err := os.ReadFile(kubeconfigFile)
		if err != nil {
			t.Fatal(err)
		}
		ca, err := os.ReadFile(server.CAFile)
		if err != nil {
			t.Fatal(err)
		}
		want := kubeconfig{
			APIVersion:     "v1",
			Kind:           "Config",
			CurrentContext: "real-1",
			Clusters:       []namedCluster{{"real-1", cluster{server.URL, ca}}},
			Users:          []namedUser{{"real-1-admin", user{server.Token}}},
			Contexts:       []namedContext{{"real-1", clusterAndUser{"real-1", "real-1-admin"}}},
		}
		var got kubeconfig
		if err := json.Unmarshal(content, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})

	if err := p.stop(); err != nil {
		t.Error(err)
	}
	for _, pid := range []int{server.PID, server.EtcdPID} {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d is still there: %v", pid, err)
		}
	}
	for _, path := range []string{dir, kubeconfigFile} {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", path, err)
		}
	}
}

func TestStopBeforeReadyIsAFailureThatLeavesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "servers")
	err := run(t.Context(), []string{"--dir", dir}, strings.NewReader(""), io.Discard, io.Discard)
	if !errors.Is(err, errStdinClosed) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its directory is still there: %v", err)
	}
}

func TestServersOfTheUserAreNotTouched(t *testing.T) {
	dir := t.TempDir()
	kept := filepath.Join(dir, "real-1", "kept")
	if err := os.MkdirAll(kept, 0o700); err != nil {
		t.Fatal(err)
	}
	stdin, _ := io.Pipe()
	defer stdin.Close()
	err := run(t.Context(), []string{"--dir", dir}, stdin, io.Discard, io.Discard)
	if !errors.Is(err, os.ErrExist) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
}

package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/store"
)

const childDir, childPort = "STORE_TEST_DIR", "STORE_TEST_PORT"

// child is what this process does when a test has started it again. It returns the exit code.
func child(mode string) int {
	run := map[string]func() error{"append": appendForever, "server": serve}[mode]
	if run == nil {
		fmt.Fprintln(os.Stderr, "there is no part", mode)
		return 2
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// start starts this process again for a part of a test, and returns what it prints. It is killed when the test ends.
func start(t *testing.T, mode string, env ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run=^"+t.Name()+"$")
	cmd.Env = append(append(os.Environ(), childMode+"="+mode), env...)
	var stderr syncBuffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		kill(cmd)
		if text := stderr.String(); text != "" {
			t.Errorf("the child says: %s", text)
		}
	})
	return cmd, bufio.NewScanner(out)
}

func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// appendForever appends transitions and prints the sequence and the message of each that a query has returned.
func appendForever() error {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{Dir: os.Getenv(childDir)})
	if err != nil {
		return err
	}
	latest, err := s.Transitions(ctx, health.HistoryQuery{Limit: 1})
	if err != nil {
		return err
	}
	var seen uint64
	if len(latest) > 0 {
		seen = latest[0].Sequence
	}
	fmt.Fprintln(os.Stdout, "ready")
	for n := 0; ; n++ {
		for i := range 1 + n%50 { // batches of various sizes, also of one
			s.Append(transition(strconv.Itoa(i), n))
			s.Save(snapshot(strconv.Itoa(i)))
		}
		found, err := s.Transitions(ctx, health.HistoryQuery{Limit: 200})
		if err != nil {
			return err
		}
		acknowledged := &strings.Builder{}
		for _, x := range found {
			if x.Sequence > seen {
				fmt.Fprintln(acknowledged, x.Sequence, x.Cluster, x.Message)
			}
		}
		if len(found) > 0 {
			seen = found[0].Sequence
		}
		if _, err := io.WriteString(os.Stdout, acknowledged.String()); err != nil {
			return err
		}
	}
}

func TestNothingThatAQueryHasReturnedIsLostWhenTheProcessIsKilled(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[uint64]string{}
	over := time.Now().Add(30 * time.Second)
	rounds := 0
	for ; rounds < 20 && time.Now().Before(over); rounds++ {
		cmd, out := start(t, "append", childDir+"="+dir)
		if !out.Scan() || out.Text() != "ready" {
			t.Fatalf("the child begins with %q", out.Text())
		}
		for lines := 1; out.Scan(); lines++ {
			if lines == 1+17*rounds {
				_ = cmd.Process.Kill() // what is in the pipe by now is read all the same
			}
			if sequence, rest, ok := strings.Cut(out.Text(), " "); ok && strings.HasSuffix(rest, "timeout") {
				n, err := strconv.ParseUint(sequence, 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				acknowledged[n] = rest
			}
		}
		kill(cmd)

		s := open(t, store.Options{Dir: dir})
		found := map[uint64]string{}
		for _, x := range history(t, s, health.HistoryQuery{Limit: 1_000_000}) {
			found[x.Sequence] = x.Cluster + " " + x.Message
		}
		for sequence, want := range acknowledged {
			if got := found[sequence]; got != want {
				t.Errorf("round %d: at %d there was %q, now there is %q", rounds, sequence, want, got)
			}
		}
		load(t, s)
		if got := s.Stats().Undecodable; got > 0 {
			t.Errorf("round %d: %d cannot be decoded", rounds, got)
		}
		shut(t, s)
	}
	t.Logf("%d were acknowledged in %d rounds", len(acknowledged), rounds)
}

// serve is an external NATS server. It prints its port.
func serve() error {
	port, err := strconv.Atoi(os.Getenv(childPort))
	if err != nil {
		return err
	}
	srv, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: os.Getenv(childDir), NoSigs: true, NoLog: true,
	})
	if err != nil {
		return err
	}
	srv.Start()
	if !srv.ReadyForConnections(20 * time.Second) {
		return errors.New("the server is not ready")
	}
	fmt.Fprintln(os.Stdout, srv.ClientURL())
	select {}
}

func TestAnExternalServerMayGoAndComeBack(t *testing.T) {
	dir := t.TempDir()
	run := func(port string) (*exec.Cmd, string) {
		cmd, out := start(t, "server", childDir+"="+dir, childPort+"="+port)
		if !out.Scan() {
			t.Fatal("there is no server")
		}
		return cmd, out.Text()
	}
	cmd, url := run("-1")
	s := open(t, store.Options{URL: url})
	s.Append(transition("a", 1))
	s.Save(snapshot("a"), snapshot("b"))
	eventually(t, "all is stored", func() bool { return len(load(t, s)) == 2 })
	if err := s.Status(); err != nil {
		t.Errorf("with a server the status is %v", err)
	}

	kill(cmd)
	s.Append(transition("a", 2))
	s.Save(health.Snapshot{Cluster: "a"})
	s.Forget("b")
	s.Save(snapshot("c"))
	eventually(t, "the store is degraded", func() bool { return s.Status() != nil && s.Stats().Failures > 0 })
	if err := s.Status(); !strings.Contains(err.Error(), "1 transitions and 3 snapshots wait") {
		t.Errorf("without a server the status is %v", err)
	}
	if _, err := s.Transitions(t.Context(), health.HistoryQuery{Limit: 1}); err == nil {
		t.Error("without a server there is a history")
	}

	run(url[strings.LastIndex(url, ":")+1:])
	eventually(t, "the store is well", func() bool { return s.Status() == nil })
	settle(t, s)
	if got := history(t, s, health.HistoryQuery{}); len(got) != 2 || got[0].Message != transition("a", 2).Message {
		t.Errorf("the history is %v", got)
	}
	if got := load(t, s); len(got) != 2 || got[0].Verdict != nil || got[1].Cluster != "c" {
		t.Errorf("the latest are %v", got)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

package process

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
)

func TestChildIsToldToEndAndItsCodeIsKnown(t *testing.T) {
	p, err := Start(t.Context(), "", "/bin/sh", "-c", "trap 'exit 7' TERM; echo ready >&2; while :; do read -r line; done")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	if _, err := p.AwaitLog(t.Context(), func(line string) bool { return line == "ready" }); err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Wait(over); !errors.Is(err, context.Canceled) {
		t.Errorf("the wait ended before the child: %v", err)
	}
	if err := p.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Stdin.Write([]byte("\n")); err != nil { // the shell looks at its traps between commands
		t.Fatal(err)
	}
	if code, err := p.Wait(t.Context()); err != nil || code != 7 {
		t.Errorf("it ended with %d, %v; want 7", code, err)
	}
}

func TestConnectionsAreCountedAndListenersAreNot(t *testing.T) {
	before, err := Connections(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	near, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	far, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	if after, err := Connections(os.Getpid()); err != nil || after != before+2 {
		t.Errorf("%d connections, %v; want the %d of before and two ends", after, err, before)
	}
}

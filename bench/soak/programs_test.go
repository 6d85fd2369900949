package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestInterruptedBuildLeavesNoCompilerBehind(t *testing.T) {
	folder := t.TempDir()
	fifo := filepath.Join(folder, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	// It stands for the go command, and its child for the linker.
	script := "#!/bin/sh\n/bin/sleep 600 3>'" + fifo + "' &\nwait\n"
	if err := os.WriteFile(filepath.Join(folder, "go"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	ended := make(chan error)
	go func() { ended <- run(ctx, nil, io.Discard, io.Discard) }()
	linker, err := os.Open(fifo) // waits for the child
	if err != nil {
		t.Fatal(err)
	}
	defer linker.Close()
	interrupt()
	if err := <-ended; !errors.Is(err, errInterrupted) {
		t.Error(err)
	}
	if _, err := linker.Read(make([]byte, 1)); !errors.Is(err, io.EOF) { // waits for its end
		t.Error(err)
	}
}

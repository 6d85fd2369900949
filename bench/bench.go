package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
)

// bench is what all cases share: the programs, a folder for files, and the way to say what is going on.
type bench struct {
	short    bool
	self     string // this program
	programs string
	peers    string // the program of the peers, once it is built
	folder   string // of this run, with all temporary files of what it starts; removed at the end
	profiles string // where contestants write CPU profiles; empty: nowhere
	progress io.Writer
}

// newBench builds the programs unless they are given.
func newBench(ctx context.Context, o options, progress io.Writer) (*bench, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "clusterfleet-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{short: o.short, self: self, programs: o.programs, folder: folder, profiles: o.profiles, progress: progress}
	if b.programs != "" {
		return b, nil
	}
	b.programs = filepath.Join(folder, "bin")
	root, err := b.root(ctx)
	if err != nil {
		b.close()
		return nil, fmt.Errorf("build aggregator and fleetsim, as -programs does not say where they are: %w", err)
	}
	b.say("building aggregator and fleetsim")
	build := b.goCommand(ctx, "build", "-C", root, "-trimpath", "-o", b.programs+string(filepath.Separator), "./cmd/aggregator", "./cmd/fleetsim")
	build.Stderr = progress
	if err := build.Run(); err != nil {
		b.close()
		return nil, fmt.Errorf("build aggregator and fleetsim: %w", err)
	}
	return b, nil
}

func (b *bench) close() { _ = os.RemoveAll(b.folder) } // nobody is left to tell

// say reports progress.
func (b *bench) say(format string, args ...any) {
	_, _ = fmt.Fprintf(b.progress, "bench: "+format+"\n", args...) // nobody is left to tell
}

// pick returns the first value, in the short form the second one.
func pick[T any](b *bench, full, short T) T {
	if b.short {
		return short
	}
	return full
}

// fleet starts a simulated fleet. It must be ended with Kill.
func (b *bench) fleet(ctx context.Context, clusters int, flags ...string) (*simulated.Fleet, error) {
	folder, err := os.MkdirTemp(b.folder, "fleet-")
	if err != nil {
		return nil, err
	}
	return simulated.Start(ctx, simulated.Config{
		Program:  filepath.Join(b.programs, "fleetsim"),
		Folder:   folder,
		Clusters: clusters,
		Flags:    flags,
	})
}

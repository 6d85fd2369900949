package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/clusterfleet/clusterfleet/bench/internal/measure"
	"github.com/clusterfleet/clusterfleet/bench/internal/process"
	"github.com/clusterfleet/clusterfleet/bench/internal/report"
)

// peer is another way to do the work of a row.
type peer struct {
	title string
	job   job
	// expected is how many operations a round has.
	expected int
	note     string
}

// line is the peer in a row of which value is the figure.
func (p peer) line(value report.Quantity, rounds []measure.Measurement) report.Peer {
	var notes []string
	if p.note != "" {
		notes = append(notes, p.note)
	}
	failed := 0
	for _, m := range rounds {
		failed += p.expected - m.Operations
	}
	if failed > 0 {
		notes = append(notes, fmt.Sprintf("%d of %d failed", failed, p.expected*len(rounds)))
	}
	return report.Peer{Name: p.title, Value: value, Note: strings.Join(notes, ", ")}
}

// rivals are the peers of a case.
type rivals struct {
	peers    []peer
	versions []string // of what they are made of
	missing  []string // which of them are not there, and why
}

// notes are what a reader has to know of them.
func (r *rivals) notes() []string {
	notes := []string{"peers: " + strings.Join(r.versions, ", ")}
	if len(r.missing) > 0 {
		notes = append(notes, "not measured: "+strings.Join(r.missing, "; "))
	}
	return notes
}

// add adds a peer whose work is done by a tool, if that is there.
func (r *rivals) add(t tool, p peer) {
	if t.missing != "" {
		r.missing = append(r.missing, fmt.Sprintf("%s (%s)", t.name, t.missing))
		return
	}
	p.job.Tool = t.path
	r.peers = append(r.peers, p)
	r.versions = append(r.versions, t.name+" "+t.version)
}

// join adds the peers of another group, which are measured after these.
func (r *rivals) join(other *rivals) {
	r.peers = append(r.peers, other.peers...)
	r.versions = append(r.versions, other.versions...)
	r.missing = append(r.missing, other.missing...)
}

// jobs returns what they are to do.
func (r *rivals) jobs() []job {
	jobs := make([]job, len(r.peers))
	for i, p := range r.peers {
		jobs[i] = p.job
	}
	return jobs
}

// peerFolder returns where the source of the peers is.
func (b *bench) peerFolder(ctx context.Context) (string, error) {
	root, err := b.root(ctx)
	return filepath.Join(root, "bench", "peers"), err
}

// root returns where the source is: the go command finds it from any folder in there.
func (b *bench) root(ctx context.Context) (string, error) {
	root, err := b.goCommand(ctx, "list", "-m", "-f", "{{.Dir}}", "github.com/clusterfleet/clusterfleet").Output()
	if err != nil {
		return "", fmt.Errorf("there is no source of clusterfleet here, run this from within it: %w", err)
	}
	return strings.TrimSpace(string(root)), nil
}

// goCommand is a call of the go command, which whoever runs the benchmarks has. What it leaves behind when it is killed is
// in the folder of the run.
func (b *bench) goCommand(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, "go", args...) //nolint:gosec // the arguments are this program's own
	command.Env = append(os.Environ(), process.Scratch(b.folder))
	return command
}

// peerProgram returns the path of the program that does the work of peers. The first time it builds it.
func (b *bench) peerProgram(ctx context.Context) (string, error) {
	if b.peers != "" {
		return b.peers, nil
	}
	source, err := b.peerFolder(ctx)
	if err != nil {
		return "", fmt.Errorf("find the source of the peers: %w", err)
	}
	b.say("building the peers")
	program := filepath.Join(b.folder, "peers")
	build := b.goCommand(ctx, "build", "-C", source, "-trimpath", "-o", program, ".")
	build.Stderr = b.progress
	if err := build.Run(); err != nil {
		return "", fmt.Errorf("build the peers: %w", err)
	}
	b.peers = program
	return program, nil
}

// clientGo returns the version of client-go that the peers are built with, in words.
func (b *bench) clientGo(ctx context.Context) (string, error) {
	program, err := b.peerProgram(ctx)
	if err != nil {
		return "", err
	}
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return "", err
	}
	for _, dependency := range info.Deps {
		if dependency.Path == "k8s.io/client-go" {
			return "client-go " + dependency.Version, nil
		}
	}
	return "", fmt.Errorf("%s is built without client-go", program)
}

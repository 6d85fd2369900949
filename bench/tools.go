package main

import (
	"context"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// What bounds the building of a tool, which at first compiles up to a thousand packages. The short form does not wait for
// that; what has been compiled until then is kept for the next time.
const (
	toolTime      = 10 * time.Minute
	shortToolTime = time.Minute
)

// tool is a program of others.
type tool struct {
	name, path, version string
	missing             string // why it is not there; empty: it is
}

// builtTool returns a tool that is pinned in the module below the peers that is called folder. It is built at first, and
// taken from Go's build cache then. Where it cannot be built, without a network for instance, it is missing.
func (b *bench) builtTool(ctx context.Context, name, folder string) tool {
	b.say("building %s", name)
	ctx, cancel := context.WithTimeout(ctx, pick(b, toolTime, shortToolTime))
	defer cancel()
	t, err := b.buildTool(ctx, name, folder)
	if err != nil {
		missing := "cannot be built"
		if ctx.Err() != nil {
			missing = "was not built in time"
		}
		b.say("%s %s: %v", name, missing, err)
		return tool{name: name, missing: missing}
	}
	return t
}

func (b *bench) buildTool(ctx context.Context, name, folder string) (tool, error) {
	source, err := b.peerFolder(ctx)
	if err != nil {
		return tool{}, err
	}
	build := b.goCommand(ctx, "tool", "-C", filepath.Join(source, folder), "-n", name)
	var said strings.Builder
	build.Stderr = &said
	path, err := build.Output()
	if err != nil {
		return tool{}, fmt.Errorf("%w: %s", err, said.String())
	}
	t := tool{name: name, path: strings.TrimSpace(string(path))}
	info, err := buildinfo.ReadFile(t.path)
	if err != nil {
		return tool{}, err
	}
	t.version = info.Main.Version
	return t, nil
}

// kubectl returns the kubectl that is installed. It is missing where xargs is.
func kubectl(ctx context.Context) tool {
	t := tool{name: "kubectl", path: "kubectl"}
	for _, program := range []string{"xargs", t.path} {
		if _, err := exec.LookPath(program); err != nil {
			t.missing = program + " is not installed"
			return t
		}
	}
	said, err := exec.CommandContext(ctx, t.path, "version", "--client", "--output", "json").Output() //nolint:gosec // it is "kubectl"
	if err != nil {
		t.missing = fmt.Sprintf("it does not tell its version: %v", err)
		return t
	}
	var told struct {
		Client struct {
			Version string `json:"gitVersion"`
		} `json:"clientVersion"`
	}
	if err := json.Unmarshal(said, &told); err != nil {
		t.missing = fmt.Sprintf("its version is not understood: %v", err)
		return t
	}
	t.version = told.Client.Version
	return t
}

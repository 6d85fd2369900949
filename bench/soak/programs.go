package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/clusterfleet/clusterfleet/bench/internal/process"
)

// build builds the programs into a folder, with temporary files beside it.
func build(ctx context.Context, folder string, progress io.Writer) error {
	const module = "github.com/clusterfleet/clusterfleet/cmd/"
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", folder+string(filepath.Separator), module+"aggregator", module+"fleetsim")
	command.Env = append(os.Environ(), process.Scratch(filepath.Dir(folder)))
	command.Stderr = progress
	if err := command.Run(); err != nil {
		return fmt.Errorf("build aggregator and fleetsim: %w", err)
	}
	return nil
}

package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
)

// build builds the programs into a folder.
func build(ctx context.Context, folder string, progress io.Writer) error {
	const module = "github.com/clusterfleet/clusterfleet/cmd/"
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", folder+string(filepath.Separator), module+"aggregator", module+"fleetsim")
	command.Stderr = progress
	if err := command.Run(); err != nil {
		return fmt.Errorf("build aggregator and fleetsim: %w", err)
	}
	return nil
}

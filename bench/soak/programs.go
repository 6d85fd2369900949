package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/clusterfleet/clusterfleet/bench/internal/process"
)

// build builds the programs into a folder, with temporary files beside it. When ctx ends, so does what compiles and links.
func build(ctx context.Context, folder string, progress io.Writer) error {
	_, _ = fmt.Fprintln(progress, "soak: building aggregator and fleetsim") // nobody is left to tell
	const module = "github.com/clusterfleet/clusterfleet/cmd/"
	scratch := []string{process.Scratch(filepath.Dir(folder))}
	_, err := process.Output(ctx, strings.NewReader(""), scratch, "go", "build", "-trimpath", "-o", folder+string(filepath.Separator), module+"aggregator", module+"fleetsim")
	if exit, failed := errors.AsType[*exec.ExitError](err); failed {
		return fmt.Errorf("build aggregator and fleetsim: %w\n%s", err, exit.Stderr)
	}
	if err != nil {
		return fmt.Errorf("build aggregator and fleetsim: %w", err)
	}
	return nil
}

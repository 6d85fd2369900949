package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// overlay writes the files that the mutant changes into the directory scratch, and returns the path of the description by
// which Go takes them in place of those below root.
func (m *mutant) overlay(ctx context.Context, root, scratch string) (string, error) {
	if m.malformed != nil {
		return "", m.malformed
	}
	replace := make(map[string]string, len(m.files))
	for _, name := range m.files {
		original, changed := filepath.Join(root, filepath.FromSlash(name)), filepath.Join(scratch, filepath.FromSlash(name))
		if err := copyFile(original, changed); err != nil {
			return "", err
		}
		replace[original] = changed
	}
	if err := m.apply(ctx, scratch); err != nil {
		return "", err
	}
	description, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(scratch, "overlay.json")
	return path, os.WriteFile(path, description, 0o600)
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600)
}

// unreadable is how `git apply` exits if it does not understand a patch. It exits with 1 if the patch does not apply.
const unreadable = 128

// apply patches the files in scratch. All of the context has to be there as it was, though it may have moved.
func (m *mutant) apply(ctx context.Context, scratch string) error {
	patch, err := filepath.Abs(m.patch)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "git", "apply", "--whitespace=nowarn", patch)
	cmd.Dir = scratch
	// In a repository git would leave out, without a word, what is not below its directory in there.
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(scratch))
	said, err := cmd.CombinedOutput()
	switch failed, _ := errors.AsType[*exec.ExitError](err); {
	case err == nil:
		return nil
	case failed != nil && failed.ExitCode() == unreadable:
		err = errMalformed
	default:
		err = errMoved
	}
	return fmt.Errorf("%w\n%s", err, strings.TrimSpace(string(said)))
}

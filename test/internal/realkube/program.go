package realkube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// stopTimeout is how long the program may take to end its servers before it is killed itself.
const stopTimeout = 20 * time.Second

// run runs test/apiserver until the test ends, and returns its output. What it has to say to people goes to the test's
// log. It ends, too, when this process dies, because its input closes then.
func run(t testing.TB, args []string) (stdout io.Reader) {
	t.Helper()
	executable, err := build(t)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, executable, args...)
	cmd.Stderr = t.Output()
	cmd.WaitDelay = stopTimeout
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Cancel = stdin.Close
	stdout, err = cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		if err := cmd.Wait(); !cmd.ProcessState.Success() {
			t.Errorf("stop the API servers: %v", err)
		}
	})
	return stdout
}

// build compiles the program, which takes well under a second. A process of its own, rather than one of "go run", can be
// killed.
func build(t testing.TB) (executable string, err error) {
	module, err := findModule()
	if err != nil {
		return "", err
	}
	executable = filepath.Join(t.TempDir(), "apiserver")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-C", module, "-mod=readonly", "-o", executable, ".")
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build test/apiserver: %w\n%s", err, output)
	}
	return executable, nil
}

// findModule returns the directory of test/apiserver, from anywhere within the repository: tests run in the directory
// of their package.
func findModule() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		module := filepath.Join(dir, "test", "apiserver")
		_, err := os.Stat(filepath.Join(module, "go.mod"))
		if err == nil {
			return module, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no directory above %s has test/apiserver", start)
		}
	}
}

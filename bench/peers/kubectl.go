package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/clusterfleet/clusterfleet/bench/internal/child"
	"github.com/clusterfleet/clusterfleet/bench/internal/process"
	"k8s.io/client-go/tools/clientcmd"
)

// kubectl asks with a process of kubectl for each cluster, which xargs starts: `xargs -P LIMIT -I{} kubectl --context {} …`.
// kubectl reads a kubeconfig of the clusters that are asked and no others, and keeps what it has discovered.
type kubectl struct {
	job    child.Job
	names  []string
	file   string // the kubeconfig
	folder string // kubectl's home
}

func (k *kubectl) Prepare(ctx context.Context) (err error) {
	if k.folder, err = os.MkdirTemp(k.job.Folder, "kubectl-"); err != nil {
		return err
	}
	file, names, err := chosen(k.job)
	if err != nil {
		return err
	}
	k.names, k.file = names, filepath.Join(k.folder, "kubeconfig")
	if err := clientcmd.WriteToFile(*file, k.file); err != nil {
		return err
	}
	if k.job.Warm {
		_, err = k.Round(ctx)
	}
	return err
}

// arguments are what kubectl is asked. A list is printed to nowhere, and what is told of it is that kubectl succeeded.
func (k *kubectl) arguments() ([]string, error) {
	ask := []string{k.job.Tool, "--kubeconfig", k.file, "--context", "{}", "--request-timeout", patience.String()}
	switch k.job.Shape {
	case "readyz":
		return append(ask, "get", "--raw", "/readyz"), nil
	case "pods":
		script := `"$@" get pods --all-namespaces --output json >/dev/null && echo ok`
		return append([]string{"sh", "-c", script, "sh"}, ask...), nil
	}
	return nil, fmt.Errorf("kubectl is not asked for %q", k.job.Shape)
}

// Round counts the answers `ok`.
func (k *kubectl) Round(ctx context.Context) (operations int, err error) {
	arguments, err := k.arguments()
	if err != nil {
		return 0, err
	}
	arguments = append([]string{"-P", strconv.Itoa(k.job.Limit), "-I{}"}, arguments...)
	stdin := strings.NewReader(strings.Repeat(strings.Join(k.names, "\n")+"\n", max(k.job.Sweeps, 1)))
	said, err := process.Output(ctx, stdin, []string{"HOME=" + k.folder}, "xargs", arguments...)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == someFailed {
		err = nil
	}
	return bytes.Count(said, []byte("ok")), err
}

// someFailed is how xargs exits where some of what it has started has failed.
const someFailed = 123

// CPU is that of all processes that have ended.
func (k *kubectl) CPU() (time.Duration, error) { return process.ChildrenCPU() }

// PeakRSS is that of the largest of them.
func (k *kubectl) PeakRSS() (int64, error) { return process.ChildrenPeakRSS() }

package binaries

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

const (
	kubernetesModule = "k8s.io/kubernetes"
	kubernetesMain   = kubernetesModule + "/cmd/kube-apiserver"
	etcdModule       = "go.etcd.io/etcd/server/v3" // its root is etcd's main package
	versionPackage   = "k8s.io/component-base/version"
)

// Module is a Go module that requires Kubernetes and etcd: what it pins is what is built. The contents of its two files
// are all a build needs, so the place it was read from may be gone by then.
type Module struct {
	GoMod []byte
	GoSum []byte
}

// Key names what Build makes: both versions and the platform, fit for a file name.
func (m Module) Key() (string, error) {
	versions, err := m.versions()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("kube-apiserver-%s-etcd-%s-%s-%s",
		versions.kubernetes, versions.etcd, runtime.GOOS, runtime.GOARCH), nil
}

// Build compiles both executables into dir with the go command of PATH, which heeds GOFLAGS (GOFLAGS=-p=2 spares a
// shared machine). Its first run on a machine takes minutes, because it downloads and compiles all of Kubernetes; log
// gets a line about it and whatever the compiler says.
func (m Module) Build(ctx context.Context, dir string, log io.Writer) error {
	versions, err := m.versions()
	if err != nil {
		return err
	}
	source, err := os.MkdirTemp("", "apiserver-build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(source)
	err = errors.Join(
		os.WriteFile(filepath.Join(source, "go.mod"), m.GoMod, 0o644),
		os.WriteFile(filepath.Join(source, "go.sum"), m.GoSum, 0o644),
	)
	if err != nil {
		return err
	}

	fmt.Fprintf(log, "building kube-apiserver %s and etcd %s; this is done once and takes minutes\n",
		versions.kubernetes, versions.etcd)
	cmd := exec.CommandContext(ctx, "go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false",
		"-ldflags="+versions.linkerFlags(), "-o", dir+string(filepath.Separator), kubernetesMain, etcdModule)
	cmd.Dir = source
	cmd.Env = append(os.Environ(),
		"CGO_ENABLED=0", "GOWORK=off", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "PWD="+source)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build %s %s: %w", kubernetesMain, etcdModule, err)
	}
	// The go command names an executable after its module's directory.
	return os.Rename(filepath.Join(dir, "server"), filepath.Join(dir, etcd))
}

type versions struct {
	kubernetes string
	etcd       string
}

func (m Module) versions() (versions, error) {
	file, err := modfile.ParseLax("go.mod", m.GoMod, nil)
	if err != nil {
		return versions{}, err
	}
	var found versions
	for _, require := range file.Require {
		switch require.Mod.Path {
		case kubernetesModule:
			found.kubernetes = require.Mod.Version
		case etcdModule:
			found.etcd = require.Mod.Version
		}
	}
	if found.kubernetes == "" || found.etcd == "" {
		return versions{}, fmt.Errorf("go.mod must require %s and %s", kubernetesModule, etcdModule)
	}
	return found, nil
}

// linkerFlags gives kube-apiserver the version it shows and compares its features with; a plain build has none.
// Debug information, half of the size, is left out.
func (v versions) linkerFlags() string {
	major, minor, _ := strings.Cut(strings.TrimPrefix(semver.MajorMinor(v.kubernetes), "v"), ".")
	flags := []string{"-s", "-w"}
	for _, set := range []string{
		"gitVersion=" + v.kubernetes,
		"gitMajor=" + major,
		"gitMinor=" + minor,
		"gitCommit=",
		"gitTreeState=clean",
	} {
		flags = append(flags, "-X", versionPackage+"."+set)
	}
	return strings.Join(flags, " ")
}

// Package binaries provides the two executables a real Kubernetes API server needs: kube-apiserver and etcd. They come
// from a directory that has them, or are built once from their Go modules and kept. It runs neither of them.
package binaries

import (
	"fmt"
	"os"
	"path/filepath"
)

// File names of the executables, the same as in the archives people point KUBEBUILDER_ASSETS at.
const (
	kubeAPIServer = "kube-apiserver"
	etcd          = "etcd"
)

// Set is a pair of executables that belong together. Its paths are absolute.
type Set struct {
	Dir           string
	KubeAPIServer string
	Etcd          string
}

// In returns the executables of dir, or an error that names the one that is missing or not executable.
func In(dir string) (Set, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Set{}, err
	}
	set := Set{Dir: dir, KubeAPIServer: filepath.Join(dir, kubeAPIServer), Etcd: filepath.Join(dir, etcd)}
	for _, path := range []string{set.KubeAPIServer, set.Etcd} {
		info, err := os.Stat(path)
		if err != nil {
			return Set{}, err
		}
		if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			return Set{}, fmt.Errorf("%s is not an executable file", path)
		}
	}
	return set, nil
}

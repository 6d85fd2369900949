package main

import (
	"fmt"
	"maps"
	"os"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// movingShare is one of how many clusters comes or goes each time that the kubeconfig changes: 10 of 1,000.
const movingShare = 100

// kubeconfig is the file that the aggregator reads. Most clusters stay in it; of the last ones, one half is there at a
// time, and comes back under names that were never used before.
type kubeconfig struct {
	file          string
	all           *clientcmdapi.Config // as the fleet has written it
	stable, moved []string
	generation    int
}

// newKubeconfig writes the file for the first time.
func newKubeconfig(source, file string, names []string) (*kubeconfig, error) {
	all, err := clientcmd.LoadFromFile(source)
	if err != nil {
		return nil, fmt.Errorf("read the fleet's kubeconfig: %w", err)
	}
	moving := 2 * max(1, len(names)/movingShare)
	k := &kubeconfig{file: file, all: all, stable: names[:len(names)-moving], moved: names[len(names)-moving:]}
	return k, k.write()
}

// size is how many clusters are in the file.
func (k *kubeconfig) size() int { return len(k.stable) + len(k.moved)/2 }

// change writes the file with the other half of those that come and go. It returns the name of one that came and of one that
// went.
func (k *kubeconfig) change() (came, gone string, err error) {
	gone = k.moving()[0].name
	k.generation++
	return k.moving()[0].name, gone, k.write()
}

// alias is a cluster and the name by which it is there.
type alias struct{ cluster, name string }

// moving are those of the present half.
func (k *kubeconfig) moving() (present []alias) {
	half := len(k.moved) / 2
	for _, cluster := range k.moved[k.generation%2*half:][:half] {
		present = append(present, alias{cluster, fmt.Sprintf("%s-%d", cluster, k.generation)})
	}
	return present
}

// write replaces the file as a whole.
func (k *kubeconfig) write() error {
	now := k.all.DeepCopy()
	contexts := maps.Clone(now.Contexts)
	for _, cluster := range k.moved {
		delete(now.Contexts, cluster)
	}
	for _, a := range k.moving() {
		now.Contexts[a.name] = contexts[a.cluster]
	}
	if err := clientcmd.WriteToFile(*now, k.file+".new"); err != nil {
		return fmt.Errorf("write the kubeconfig: %w", err)
	}
	return os.Rename(k.file+".new", k.file)
}

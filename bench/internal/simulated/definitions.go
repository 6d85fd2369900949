package simulated

import (
	"fmt"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
	"github.com/clusterfleet/clusterfleet/pkg/kubeconfig"
)

// Definitions returns the clusters of a fleet's kubeconfig, each of which is usable.
func Definitions(file string) ([]cluster.Definition, error) {
	definitions, problems := kubeconfig.Load([]string{file}, kubeconfig.Options{})
	if len(problems) > 0 {
		return nil, fmt.Errorf("load %s: %w", file, problems[0])
	}
	return definitions, nil
}

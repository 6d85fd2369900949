package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterfleet/clusterfleet/cmd/fleetctl/internal/output"
	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// completionPatience bounds how long a shell waits for the names of the clusters.
const completionPatience = time.Second

// maxCompletions bounds how many names a shell is offered.
const maxCompletions = 1000

// mustComplete registers the completion of a flag's value; that the flag exists is the program's own business.
func mustComplete(cmd *cobra.Command, flag string, complete cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err)
	}
}

// completeClusters offers the names of the fleet's clusters, less those that are named already.
func (a *app) completeClusters(cmd *cobra.Command, args []string, start string) ([]string, cobra.ShellCompDirective) {
	return a.complete(cmd, func(names map[string]bool, cluster *fleetv1.Cluster) {
		if name := cluster.GetName(); strings.HasPrefix(name, start) && !slices.Contains(args, name) {
			names[name] = true
		}
	})
}

// completeLabels offers the names of the labels that the fleet's clusters have.
func (a *app) completeLabels(cmd *cobra.Command, _ []string, start string) ([]string, cobra.ShellCompDirective) {
	return a.complete(cmd, func(names map[string]bool, cluster *fleetv1.Cluster) {
		for name := range cluster.GetLabels() {
			if strings.HasPrefix(name, start) {
				names[name] = true
			}
		}
	})
}

// complete offers what offer adds of each cluster, sorted; what the aggregator has told in time is all there is.
func (a *app) complete(cmd *cobra.Command, offer func(names map[string]bool, cluster *fleetv1.Cluster)) ([]string, cobra.ShellCompDirective) {
	c, err := a.dial(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(cmd.Context(), completionPatience)
	defer cancel()
	names := map[string]bool{}
	for cluster, err := range c.ListClusters(ctx, &fleetv1.ListClustersRequest{PageSize: maxCompletions}) {
		if err != nil || len(names) >= maxCompletions {
			break
		}
		offer(names, cluster)
	}
	return slices.Sorted(maps.Keys(names)), cobra.ShellCompDirectiveNoFileComp
}

func completeFormats(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	directive := cobra.ShellCompDirectiveNoFileComp
	for _, kind := range output.Kinds() {
		switch kind {
		case output.JSONPath, output.CustomColumns:
			names = append(names, string(kind)+"=")
		default:
			names = append(names, string(kind))
		}
	}
	return names, directive
}

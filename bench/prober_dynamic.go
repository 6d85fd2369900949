package main

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/clusterfleet/clusterfleet/bench/internal/simulated"
)

// dynamicReader is a peer: client-go's dynamic client held well, one a cluster and kept, under errgroup. It keeps nothing of
// what it reads, and has nobody to hand it to.
type dynamicReader struct {
	job     job
	clients []dynamic.Interface
}

func (d *dynamicReader) prepare(context.Context) error {
	definitions, err := simulated.Definitions(d.job.Kubeconfig)
	if err != nil {
		return err
	}
	for _, definition := range definitions {
		config := rest.CopyConfig(definition.Config)
		config.QPS = -1 // its own limits are for controllers
		client, err := dynamic.NewForConfig(config)
		if err != nil {
			return err
		}
		d.clients = append(d.clients, client)
	}
	return nil
}

func (d *dynamicReader) round(ctx context.Context) (operations int, err error) {
	pods := schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(d.job.Limit)
	for _, client := range d.clients {
		group.Go(func() error {
			list, err := client.Resource(pods).List(ctx, metav1.ListOptions{Limit: 500})
			if err == nil && len(list.Items) != fetchObjects {
				err = fmt.Errorf("a list has %d objects", len(list.Items))
			}
			return err
		})
	}
	return len(d.clients), group.Wait()
}

package main

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// pageSize is how many objects a list asks for; the benchmarks' clusters have no more.
const pageSize = 500

// ask asks one cluster, by the client that is kept for it. It returns how many objects came, where objects are asked for.
type ask func(ctx context.Context) (objects int, err error)

// clients returns, for each role, what makes the client of a cluster. All of them are client-go's, and are held as it wants
// to be held: one a cluster, which is kept, without the limit of requests a second that is meant for controllers.
func clients() map[string]func(*rest.Config) (ask, error) {
	return map[string]func(*rest.Config) (ask, error){
		"readyz":       readyz,
		"version":      version,
		"namespace":    namespace,
		"typed pods":   typedPods,
		"dynamic pods": dynamicPods,
	}
}

// readyz asks for /readyz by the clientset's REST client.
func readyz(config *rest.Config) (ask, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (int, error) {
		_, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return 0, err
	}, nil
}

// version asks for the server's version, which is how many programs find out whether a cluster is there.
func version(config *rest.Config) (ask, error) {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (int, error) {
		_, err := client.ServerVersionWithContext(ctx)
		return 0, err
	}, nil
}

// namespace gets the namespace that every cluster has, by the dynamic client, which knows objects only.
func namespace(config *rest.Config) (ask, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	namespaces := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"})
	return func(ctx context.Context) (int, error) {
		_, err := namespaces.Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
		return 0, err
	}, nil
}

// typedPods lists pods by the clientset. It keeps nothing of them.
func typedPods(config *rest.Config) (ask, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (int, error) {
		list, err := client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{Limit: pageSize})
		if err != nil {
			return 0, err
		}
		return len(list.Items), nil
	}, nil
}

// dynamicPods lists pods by the dynamic client. It keeps nothing of them.
func dynamicPods(config *rest.Config) (ask, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	pods := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"})
	return func(ctx context.Context) (int, error) {
		list, err := pods.List(ctx, metav1.ListOptions{Limit: pageSize})
		if err != nil {
			return 0, err
		}
		return len(list.Items), nil
	}, nil
}

// held makes the client of each target.
func held(clusters []target, client func(*rest.Config) (ask, error)) ([]ask, error) {
	asks := make([]ask, len(clusters))
	for i, c := range clusters {
		c.config.QPS = -1
		var err error
		if asks[i], err = client(c.config); err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return asks, nil
}

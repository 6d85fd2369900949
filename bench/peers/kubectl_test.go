package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"k8s.io/client-go/tools/clientcmd"
)

// standIn is the variable that makes this test binary a kubectl, because none need be installed where tests run.
const standIn = "PEERS_TEST_KUBECTL"

// beKubectl does as kubectl does with the arguments that it gets here, as far as a caller can see.
func beKubectl(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("kubectl", flag.ContinueOnError)
	kubeconfig := flags.String("kubeconfig", "", "")
	name := flags.String("context", "", "")
	patience := flags.Duration("request-timeout", 0, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	file, err := clientcmd.LoadFromFile(*kubeconfig)
	if err != nil {
		return err
	}
	config, err := clientcmd.NewNonInteractiveClientConfig(*file, *name, nil, nil).ClientConfig()
	if err != nil {
		return err
	}
	client, found := typedPods, "pods"
	switch what := fmt.Sprint(flags.Args()); what {
	case "[get --raw /readyz]":
		client, found = readyz, "ok"
	case "[get pods --all-namespaces --output json]":
	default:
		return fmt.Errorf("unknown command %s", what)
	}
	ask, err := client(config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), *patience)
	defer cancel()
	if _, err := ask(ctx); err != nil {
		return err
	}
	_, err = io.WriteString(stdout, found)
	return err
}

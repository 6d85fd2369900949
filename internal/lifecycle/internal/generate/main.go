// Generate writes kubernetes.txt, the lifecycles of Kubernetes' own types that package lifecycle embeds. It is a program of
// its own because it is linked with every one of these types, which no other program should be.
package main

import (
	"errors"
	"fmt"
	"os"

	"k8s.io/client-go/kubernetes/scheme"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("want the file to write, and nothing else")
	}
	text, err := table(scheme.Scheme)
	if err != nil {
		return err
	}
	return os.WriteFile(args[0], text, 0o644) //nolint:gosec // source is for everyone to read
}

// Command print writes its version, for the tests that build it in different ways.
package main

import (
	"os"

	"github.com/clusterfleet/clusterfleet/internal/version"
)

func main() {
	if _, err := os.Stdout.WriteString(version.String()); err != nil {
		os.Exit(1)
	}
}

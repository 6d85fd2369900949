// Package version says which build of Clusterfleet a program is. It knows nothing of what the programs do.
package version

import "runtime/debug"

// version is what `make build` tells the linker: a tag, or the last tag, the commits since and the commit. A variable of
// the package, for the linker can set no other; nothing else writes it.
var version string

// String returns the version of the running program, never empty: what `make build` took from git, else what Go itself
// recorded (the release of a `go install`, the commit of a build inside a clone), else "devel".
func String() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return unrecorded
	}
	return recorded(info)
}

// unrecorded stands for a build of which nothing is known, such as one outside a clone.
const unrecorded = "devel"

// recorded returns the version of the main module, which Go derives from the commit where there is no release.
func recorded(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	return unrecorded
}

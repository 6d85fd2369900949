//go:build !purego

package manifest

import "golang.org/x/sys/cpu"

// hasVectors tells whether the processor, and the system, let classifyVectors run.
//
//nolint:gochecknoglobals // what the machine is does not change
var hasVectors = cpu.X86.HasAVX2 && cpu.X86.HasPCLMULQDQ

func classify(b *block, m *masks) {
	if hasVectors {
		classifyVectors(b, m)
		return
	}
	classifyPortable(b, m)
}

// classifyVectors is classifyPortable, 32 bytes at a time.
//
//go:noescape
func classifyVectors(b *block, m *masks)

//go:build !amd64 || purego

package manifest

func classify(b *block, m *masks) { classifyPortable(b, m) }

package shape_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
	"github.com/clusterfleet/clusterfleet/internal/manifest/manifesttest"
	"github.com/clusterfleet/clusterfleet/internal/shape"
)

// BenchmarkApply goes over a PodList of 5 MB; "nothing" is what splitting it takes.
func BenchmarkApply(b *testing.B) {
	list := manifesttest.PodList(1000)
	for _, bench := range []struct {
		name string
		s    shape.Shape
	}{
		{"nothing", shape.Shape{}},
		{"where a phase", where(b, `object.status.phase != "Running"`)},
		{"where an image", where(b, `object.spec.containers.exists(c, c.image.startsWith("registry.example.com/x"))`)},
		{"where any member", where(b, `object.exists(k, k == "stauts")`)},
		{"projection of an image", projection(b, `{.spec.containers[0].image}`)},
		{"projection of all names", projection(b, `{..name}`)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			pool := new(manifest.Pool)
			b.SetBytes(int64(len(list)))
			b.ReportAllocs()
			for b.Loop() {
				r := manifest.NewReader(strings.NewReader(list), manifest.Options{Pool: pool})
				for {
					item, err := r.Next()
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
					if _, _, err := bench.s.Apply(b.Context(), item.JSON, shape.Type{APIVersion: "v1", Kind: "Pod"}); err != nil {
						b.Fatal(err)
					}
				}
				r.Close()
			}
		})
	}
}

func BenchmarkParseWhere(b *testing.B) {
	for b.Loop() {
		where(b, `object.status.phase != "Running"`)
	}
}

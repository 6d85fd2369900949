package manifest_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
)

// BenchmarkReader splits a PodList of 5 MB; beside it stands what the decoder alone takes to validate the same bytes.
func BenchmarkReader(b *testing.B) {
	list := newPodList(1000)
	b.Run("validation alone", func(b *testing.B) {
		b.SetBytes(int64(len(list)))
		decoder := new(jsontext.Decoder)
		for b.Loop() {
			decoder.Reset(strings.NewReader(list))
			if _, err := decoder.ReadValue(); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, bench := range []struct {
		name string
		opts manifest.Options
	}{
		{"default", manifest.Options{}},
		{"untouched", manifest.Options{ManagedFields: true, SecretData: true}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			bench.opts.Pool = new(manifest.Pool)
			b.SetBytes(int64(len(list)))
			b.ReportAllocs()
			items := 0
			for b.Loop() {
				r := manifest.NewReader(strings.NewReader(list), bench.opts)
				for items = 0; ; items++ {
					if _, err := r.Next(); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						b.Fatal(err)
					}
				}
				r.Close()
			}
			b.ReportMetric(float64(items)*float64(b.N)/b.Elapsed().Seconds(), "items/s")
		})
	}
}

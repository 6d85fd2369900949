package manifest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzBlock holds the classification of a block by this machine's vectors, and the portable one that takes its place on
// others and under the tag purego, against a look at each byte. All that the scanner does else is the same for both.
func FuzzBlock(f *testing.F) {
	f.Add([]byte(`{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"a\\\"b"`))
	f.Add([]byte("\"\\\"\\\\\"\x00\x1f\x20\x7f\x80\xff [{]},:\t\r\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		var b block
		copy(b[:], content)
		want := masksOf(&b)
		for name, f := range map[string]func(*block, *masks){"this machine's": classify, "portable": classifyPortable} {
			got := masks{quote: 1, inside: ^uint64(0), rare: 7} // what was there before does not matter
			f(&b, &got)
			if got != want {
				t.Errorf("%s: %q (-want +got):\n%s", name, b, cmp.Diff(want, got, cmp.AllowUnexported(masks{})))
			}
		}
	})
}

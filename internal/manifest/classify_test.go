package manifest

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClassifyFindsEachByteAtEachPlace(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for c := range 256 {
		for at := range blockBytes {
			var b block
			for i := range b {
				b[i] = "ab01\"\\{}[],: \n\x01\xc3"[random.IntN(16)]
			}
			b[at] = byte(c)
			want := masksOf(&b)
			for name, f := range map[string]func(*block, *masks){"this machine's": classify, "portable": classifyPortable} {
				var got masks
				f(&b, &got)
				if diff := cmp.Diff(want, got, cmp.AllowUnexported(masks{})); diff != "" {
					t.Fatalf("%s: %q (-want +got):\n%s", name, b, diff)
				}
			}
		}
	}
}

// masksOf looks at one byte after the other.
func masksOf(b *block) masks {
	var m masks
	inside := false
	for i, c := range b {
		for mask, set := range map[*uint64]bool{
			&m.quote: c == '"', &m.backslash: c == '\\', &m.open: c == '{' || c == '[', &m.shut: c == '}' || c == ']', &m.comma: c == ',',
			&m.colon: c == ':', &m.white: strings.IndexByte(" \t\r\n", c) >= 0, &m.rare: c < ' ' || c > '\x7f',
		} {
			if set {
				*mask |= 1 << i
			}
		}
		if inside = inside != (c == '"'); inside {
			m.inside |= 1 << i
		}
	}
	return m
}

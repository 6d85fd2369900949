package manifest_test

import (
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/manifest"
)

func TestReaderTakesTimeInProportionToAnItemThatArrivesByteByByte(t *testing.T) {
	t.Parallel()
	const size, part = manifest.DefaultMaxItemBytes - 1<<10, 1 << 20
	for name, body := range map[string]string{
		"a string":         pods + `{"a":"` + strings.Repeat("x", size) + `"}]}`,
		"escapes":          pods + `{"a":"` + strings.Repeat(`\u00e9`, part/6) + `"}]}`,
		"runes":            pods + `{"a":"` + strings.Repeat("é", part/2) + `"}]}`,
		"a number":         pods + `{"a":1` + strings.Repeat("0", part) + `}]}`,
		"brackets":         pods + `{"a":[[]` + strings.Repeat(",[]", part/3) + `]}]}`,
		"members":          pods + `{` + manyMembers(part/20) + `}]}`,
		"beside the items": `{"kind":"PodList","apiVersion":"v1","a":"` + strings.Repeat("x", part) + `","items":[{}]}`,
		"a single object":  `{"apiVersion":"v1","items":[` + strings.Repeat(`{},`, part/3) + `{}],"kind":"Pod"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			items, _, err := readAll(iotest.OneByteReader(strings.NewReader(body)), manifest.Options{})
			if err != nil || len(items) != 1 {
				t.Fatalf("%d items, %v", len(items), err)
			}
			// A second look at all that is there for each byte would take hours.
			if took := time.Since(start); took > time.Minute {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestReaderNestsAsDeepAsStrictParsersDo(t *testing.T) {
	t.Parallel()
	nested := func(depth int) string { // of the whole document
		return pods + `{"a":` + strings.Repeat("[", depth-3) + strings.Repeat("]", depth-3) + `}]}`
	}
	if items, _, err := readAll(strings.NewReader(nested(10_000)), manifest.Options{}); err != nil || len(items) != 1 {
		t.Errorf("10,000 levels: %d items, %v", len(items), err)
	}
	_, _, err := readAll(strings.NewReader(nested(10_001)), manifest.Options{})
	checkError(t, err, manifest.ErrMalformed)
}

package hibernation_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/hibernation"
)

// FuzzJudge holds the judge to what follows from the object as encoding/json decodes it.
func FuzzJudge(f *testing.F) {
	f.Add(asleep(`"3"`))
	f.Add(asleep(`"yes"`))
	f.Add(`{"metadata":{"ownerReferences":[{"controller":true},{"controller":false,"controller":true},null]},"spec":{"replicas":-0}}`)
	f.Add(`{"spec":{"replicas":1},"sp\u0065c":{"replicas":2},"metadata":{"annotations":{},"annotations":null}}`)
	f.Add(`{"spec":{"replicas":"0"}}`)
	f.Add(`{"spec":`)
	f.Add(` {} `)
	j := newJudge(f, "")
	f.Fuzz(func(t *testing.T, object string) {
		if diff := cmp.Diff(decoded(object), j.Judge([]byte(object))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", object, diff)
		}
	})
}

// decoded judges an object the long way.
func decoded(object string) hibernation.Workload {
	var o map[string]any
	var w hibernation.Workload
	decoder := json.NewDecoder(strings.NewReader(object))
	decoder.UseNumber()
	if !json.Valid([]byte(object)) || decoder.Decode(&o) != nil {
		return w
	}
	metadata, _ := o["metadata"].(map[string]any)
	spec, _ := o["spec"].(map[string]any)
	owners, _ := metadata["ownerReferences"].([]any)
	for _, owner := range owners {
		reference, _ := owner.(map[string]any)
		w.Controlled = w.Controlled || reference["controller"] == true
	}
	replicas, _ := spec["replicas"].(json.Number)
	if n, err := strconv.ParseInt(replicas.String(), 10, 32); err == nil && n >= 0 {
		w.Eligible, w.Replicas = true, n
	}
	annotations, _ := metadata["annotations"].(map[string]any)
	before, annotated := annotations[hibernation.DefaultAnnotation].(string)
	w.Asleep = w.Eligible && w.Replicas == 0 && annotated && before != "0"
	if n, err := strconv.ParseInt(before, 10, 32); w.Asleep && err == nil && n >= 0 {
		w.Before = n
	}
	return w
}

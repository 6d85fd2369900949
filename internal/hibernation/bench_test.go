package hibernation_test

import (
	"strings"
	"testing"
)

// BenchmarkJudge judges a Deployment of 3 KB.
func BenchmarkJudge(b *testing.B) {
	container := `{"name":"web","image":"registry.example.com/web:1","env":[{"name":"A","value":"some text of a value"}]},`
	object := []byte(`{"metadata":{"name":"web","annotations":{"hibernator.devtron.ai/replicas":"3"}},"spec":{"replicas":0,"template":{"spec":{"containers":[` +
		strings.TrimSuffix(strings.Repeat(container, 25), ",") + `]}}}}`)
	j := newJudge(b, "")
	b.SetBytes(int64(len(object)))
	b.ReportAllocs()
	for b.Loop() {
		if !j.Judge(object).Asleep {
			b.Fatal("it does not sleep")
		}
	}
}

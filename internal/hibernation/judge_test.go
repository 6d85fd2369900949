package hibernation_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/hibernation"
)

func newJudge(t testing.TB, annotation string) *hibernation.Judge {
	t.Helper()
	j, err := hibernation.NewJudge(annotation)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// asleep is a workload of 0 replicas whose annotation has the given JSON.
func asleep(annotation string) string {
	return `{"metadata":{"name":"a","annotations":{"a":"0","hibernator.devtron.ai/replicas":` + annotation + `}},"spec":{"replicas":0}}`
}

func TestWorkloadsAreJudgedByTheirReplicasAndTheirAnnotation(t *testing.T) {
	type workload = hibernation.Workload
	running := func(replicas int64) workload { return workload{Eligible: true, Replicas: replicas} }
	sleeping := func(before int64) workload { return workload{Eligible: true, Asleep: true, Before: before} }
	for about, c := range map[string]struct {
		json string
		want workload
	}{
		"sleeps":                             {asleep(`"3"`), sleeping(3)},
		"sleeps, spaced out":                 {strings.NewReplacer(":", " : ", ",", " ,\n").Replace(asleep(`"3"`)) + " \n", sleeping(3)},
		"sleeps, spec first":                 {`{"spec":{"replicas":0},"metadata":{"annotations":{"hibernator.devtron.ai/replicas":"7"}}}`, sleeping(7)},
		"sleeps, name escaped":               {`{"metadata":{"annotations":{"hibernator.devtron.ai\/replic\u0061s":"5"}},"sp\u0065c":{"replicas":0}}`, sleeping(5)},
		"sleeps, being deleted":              {`{"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z","annotations":{"hibernator.devtron.ai/replicas":"3"}},"spec":{"replicas":0}}`, sleeping(3)},
		"was no number":                      {asleep(`"yes"`), sleeping(0)},
		"was negative":                       {asleep(`"-3"`), sleeping(0)},
		"was huge":                           {asleep(`"99999999999999999999"`), sleeping(0)},
		"was more than the API has":          {asleep(`"2147483648"`), sleeping(0)},
		"was the most that the API has":      {asleep(`"2147483647"`), sleeping(2147483647)},
		"was a fraction":                     {asleep(`"1.5"`), sleeping(0)},
		"was empty":                          {asleep(`""`), sleeping(0)},
		"was 00":                             {asleep(`"00"`), sleeping(0)},
		"had 0 before":                       {asleep(`"0"`), running(0)},
		"had 0 before, escaped":              {asleep(`"\u0030"`), running(0)},
		"annotation is null":                 {asleep(`null`), running(0)},
		"annotation is a number":             {asleep(`3`), running(0)},
		"annotation is an object":            {asleep(`{"a":[1]}`), running(0)},
		"no annotation":                      {`{"metadata":{"annotations":{"other":"3"}},"spec":{"replicas":0}}`, running(0)},
		"no annotations":                     {`{"metadata":{"annotations":null},"spec":{"replicas":0}}`, running(0)},
		"annotation in the template":         {`{"metadata":{},"spec":{"replicas":0,"template":{"metadata":{"annotations":{"hibernator.devtron.ai/replicas":"3"}}}}}`, running(0)},
		"a label of that name":               {`{"metadata":{"labels":{"hibernator.devtron.ai/replicas":"3"}},"spec":{"replicas":0}}`, running(0)},
		"no metadata":                        {`{"spec":{"replicas":2}}`, running(2)},
		"awake with the annotation":          {`{"metadata":{"annotations":{"hibernator.devtron.ai/replicas":"3"}},"spec":{"replicas":3}}`, running(3)},
		"the most replicas":                  {`{"spec":{"replicas":2147483647}}`, running(2147483647)},
		"the replicas of a nested spec":      {`{"spec":{"template":{"spec":{"replicas":4}}}}`, workload{}},
		"the replicas of the status":         {`{"status":{"replicas":4},"spec":{}}`, workload{}},
		"replicas missing":                   {`{"metadata":{"annotations":{"hibernator.devtron.ai/replicas":"3"}},"spec":{}}`, workload{}},
		"replicas null":                      {`{"spec":{"replicas":null}}`, workload{}},
		"replicas a string":                  {`{"spec":{"replicas":"0"}}`, workload{}},
		"replicas negative":                  {`{"spec":{"replicas":-1}}`, workload{}},
		"replicas a fraction":                {`{"spec":{"replicas":0.5}}`, workload{}},
		"replicas huge":                      {`{"spec":{"replicas":1e400}}`, workload{}},
		"replicas more than the API has":     {`{"spec":{"replicas":2147483648}}`, workload{}},
		"replicas a list":                    {`{"spec":{"replicas":[0]}}`, workload{}},
		"the last of two counts":             {`{"spec":{"replicas":1},"spec":{"replicas":2,"replicas":5}}`, running(5)},
		"the last of two counts, empty":      {`{"spec":{"replicas":1},"spec":null}`, workload{}},
		"controlled":                         {`{"metadata":{"ownerReferences":[{"kind":"A","controller":false},{"kind":"Deployment","controller":true}]},"spec":{"replicas":1}}`, workload{Eligible: true, Controlled: true, Replicas: 1}},
		"owned, not controlled":              {`{"metadata":{"ownerReferences":[{"kind":"A","controller":false},{"kind":"B"},null,3]},"spec":{"replicas":1}}`, running(1)},
		"owners are no list":                 {`{"metadata":{"ownerReferences":{"controller":true}},"spec":{"replicas":1}}`, running(1)},
		"metadata and spec are no objects":   {`{"metadata":[],"spec":"x"}`, workload{}},
		"no object":                          {`[{"spec":{"replicas":1}}]`, workload{}},
		"nothing":                            {``, workload{}},
		"broken":                             {`{"spec":{"replicas":1}`, workload{}},
		"broken behind what matters":         {`{"spec":{"replicas":1},"status":}`, workload{}},
		"sleeps, and is large":               {strings.Replace(asleep(`"3"`), "{", `{"status":"`+strings.Repeat("x", 1<<20)+`",`, 1), sleeping(3)},
		"more than one":                      {`{"spec":{"replicas":1}} {}`, workload{}},
		"broken after a good one was judged": {`{"spec":`, workload{}},
	} {
		t.Run(about, func(t *testing.T) {
			j := newJudge(t, "")
			for range 2 { // a judge keeps nothing of an object
				if diff := cmp.Diff(c.want, j.Judge([]byte(c.json))); diff != "" {
					t.Errorf("%.200s (-want +got):\n%s", c.json, diff)
				}
				if other := j.Judge([]byte(asleep(`"9"`))); other != sleeping(9) {
					t.Errorf("the next one was judged %+v", other)
				}
			}
		})
	}
}

func TestAnotherAnnotationCanBeTold(t *testing.T) {
	j := newJudge(t, "Example.com/was")
	if w := j.Judge([]byte(asleep(`"3"`))); w.Asleep {
		t.Error("the default counts as well")
	}
	if w := j.Judge([]byte(`{"metadata":{"annotations":{"Example.com/was":"3"}},"spec":{"replicas":0}}`)); !w.Asleep || w.Before != 3 {
		t.Errorf("got %+v", w)
	}
	for _, good := range []string{"replicas", "UPPER.example/Case_1.x", "a/b", strings.Repeat("a.", 126) + "a/" + strings.Repeat("b", 63)} {
		if _, err := hibernation.NewJudge(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"/", "a/", "/a", "a/b/c", "a b", "ä", "a\x00", "-a", "a_b/c", strings.Repeat("a", 64), "\u202ea"} {
		if _, err := hibernation.NewJudge(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

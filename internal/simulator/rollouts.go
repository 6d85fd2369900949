package simulator

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// rolloutGroup is the group of a CustomResourceDefinition that some clusters have: those of this tier.
const (
	rolloutGroup = "argoproj.io"
	rolloutTier  = "batch"
)

// hasRollouts tells whether Argo Rollouts is installed in the cluster.
func (c *cluster) hasRollouts() bool { return c.labels["tier"] == rolloutTier }

// without is the catalogue of clusters that do not have a group.
func (c *catalogue) without(group string) (*catalogue, error) {
	rest := &catalogue{version: c.version}
	var types []*resourceType
	for _, s := range c.shelves {
		if s.group != group {
			rest.shelves = append(rest.shelves, s)
			types = append(types, s.resourceType)
		}
	}
	return rest, rest.describe(types)
}

// rollout is an object of Argo Rollouts, as far as it is like a Deployment; its fields are in the order of their names.
type rollout struct {
	APIVersion        string `json:"apiVersion"`
	Kind              string `json:"kind"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              rolloutSpec `json:"spec"`
}

type rolloutSpec struct {
	Replicas int32                  `json:"replicas"`
	Selector *metav1.LabelSelector  `json:"selector"`
	Template corev1.PodTemplateSpec `json:"template"`
}

func rolloutType() *resourceType {
	return &resourceType{
		group: rolloutGroup, version: "v1alpha1", plural: "rollouts", singular: "rollout", kind: "Rollout",
		shortNames: []string{"ro"}, namespaced: true, custom: true,
		count: 7,
		columns: []metav1.TableColumnDefinition{
			column("Name", "string"), column("Desired", "integer"), column("Age", "date"),
		},
		make: func(p place) product {
			labels, replicas := workloadLabels(p), replicasOf(p)
			r := &rollout{
				APIVersion: rolloutGroup + "/v1alpha1",
				Kind:       "Rollout",
				ObjectMeta: p.meta("Rollout", fmt.Sprintf("%s-canary-%05d", appName(p.index), p.index), labels),
				Spec: rolloutSpec{
					Replicas: replicas,
					Selector: &metav1.LabelSelector{MatchLabels: labels},
					Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: podSpec(p)},
				},
			}
			hibernate(&r.ObjectMeta, replicas)
			return product{object: r, meta: &r.ObjectMeta, cells: []any{r.Name, replicas, p.age()}}
		},
	}
}

// hibernate annotates what has no replicas, as a hibernator does.
func hibernate(m *metav1.ObjectMeta, replicas int32) {
	if replicas == 0 {
		m.Annotations = map[string]string{hibernatedAnnotation: "3"}
	}
}

package lifecycle

import "k8s.io/apimachinery/pkg/runtime/schema"

// historical returns the lifecycles of types that k8s.io/api has forgotten, or never had, and that clusters may still serve.
// They are what prerelease-lifecycle-gen has generated into
//
//   - k8s.io/api v0.24.0, policy/v1beta1 (PodSecurityPolicy)
//   - k8s.io/api v0.26.0, autoscaling/v2beta1 and v2beta2 (HorizontalPodAutoscaler)
//   - k8s.io/apiextensions-apiserver v0.36.3, pkg/apis/apiextensions/v1beta1 (CustomResourceDefinition)
//   - k8s.io/kube-aggregator v0.36.3, pkg/apis/apiregistration/v1beta1 (APIService)
func historical() map[schema.GroupVersionKind]Lifecycle {
	return map[schema.GroupVersionKind]Lifecycle{
		{Group: "policy", Version: "v1beta1", Kind: "PodSecurityPolicy"}: {
			DeprecatedIn: "1.21", RemovedIn: "1.25",
		},
		{Group: "autoscaling", Version: "v2beta1", Kind: "HorizontalPodAutoscaler"}: {
			DeprecatedIn: "1.22", RemovedIn: "1.25", Replacement: "autoscaling/v2 HorizontalPodAutoscaler",
		},
		{Group: "autoscaling", Version: "v2beta2", Kind: "HorizontalPodAutoscaler"}: {
			DeprecatedIn: "1.23", RemovedIn: "1.26", Replacement: "autoscaling/v2 HorizontalPodAutoscaler",
		},
		{Group: "apiextensions.k8s.io", Version: "v1beta1", Kind: "CustomResourceDefinition"}: {
			DeprecatedIn: "1.16", RemovedIn: "1.22", Replacement: "apiextensions.k8s.io/v1 CustomResourceDefinition",
		},
		{Group: "apiregistration.k8s.io", Version: "v1beta1", Kind: "APIService"}: {
			DeprecatedIn: "1.19", RemovedIn: "1.22", Replacement: "apiregistration.k8s.io/v1 APIService",
		},
	}
}

package compare

import "github.com/clusterfleet/clusterfleet/internal/manifest"

// Rule says what of objects does not count as a difference.
type Rule struct {
	// Group and Kind say of which objects; both empty for all.
	Group, Kind string
	// Path is what is left out.
	Path string
	// Unless is a value, as JSON, that is kept all the same; empty for none.
	Unless string
	// Why it is left out.
	Why string
}

// Rules returns what is left out of every object, whatever the caller ignores beside it. The documentation has the same
// list; a test holds them together.
func Rules() []Rule {
	const (
		observed   = "what controllers observe, not what was asked for"
		identity   = "the API server gives each object its own"
		history    = "counts or dates the changes in one cluster"
		template   = "older API servers write it as null, newer ones leave it out"
		applied    = "a copy of what was applied last; the object itself is compared"
		controller = "written by a controller about its own work"
		allocated  = "allocated in each cluster from a range of its own"
		volume     = "how one cluster provided the volume"
		authority  = "injected in each cluster from an authority of its own"
		job        = "derived from the object's own uid"
	)
	all := rulesFor("", "", observed, "status")
	all = append(all, rulesFor("", "", identity, "metadata.uid", "metadata.selfLink", "metadata.ownerReferences[*].uid")...)
	all = append(all, rulesFor("", "", history, "metadata.resourceVersion", "metadata.generation", "metadata.creationTimestamp",
		"metadata.deletionTimestamp", "metadata.deletionGracePeriodSeconds", "metadata.managedFields")...)
	all = append(all, rulesFor("", "", template, "spec.template.metadata.creationTimestamp", "spec.jobTemplate.metadata.creationTimestamp",
		"spec.jobTemplate.spec.template.metadata.creationTimestamp", "spec.volumeClaimTemplates[*].metadata.creationTimestamp",
		"spec.volumeClaimTemplates[*].status")...)
	for _, name := range manifest.AppliedCopies() {
		all = append(all, rulesFor("", "", applied, annotation(name))...)
	}
	all = append(all, rulesFor("", "", controller, annotation("deployment.kubernetes.io/revision"),
		annotation("deployment.kubernetes.io/revision-history"), annotation("deployment.kubernetes.io/desired-replicas"),
		annotation("deployment.kubernetes.io/max-replicas"), annotation("deprecated.daemonset.template.generation"),
		annotation("autoscaling.alpha.kubernetes.io/conditions"), annotation("autoscaling.alpha.kubernetes.io/current-metrics"),
		annotation("control-plane.alpha.kubernetes.io/leader"), annotation("endpoints.kubernetes.io/last-change-trigger-time"),
		annotation("kubernetes.io/service-account.uid"))...)
	all = append(all, Rule{Kind: "Service", Path: "spec.clusterIP", Unless: `"None"`, Why: allocated})
	all = append(all, rulesFor("", "Service", allocated, "spec.clusterIPs", "spec.ports[*].nodePort", "spec.healthCheckNodePort")...)
	all = append(all, rulesFor("", "ServiceAccount", controller, "secrets")...)
	all = append(all, rulesFor("", "PersistentVolumeClaim", volume, "spec.volumeName", annotation("pv.kubernetes.io/bind-completed"),
		annotation("pv.kubernetes.io/bound-by-controller"), annotation("volume.kubernetes.io/selected-node"),
		annotation("volume.kubernetes.io/storage-provisioner"), annotation("volume.beta.kubernetes.io/storage-provisioner"))...)
	all = append(all, rulesFor("", "PersistentVolume", volume, "spec.claimRef.uid", "spec.claimRef.resourceVersion")...)
	all = append(all, rulesFor("", "Namespace", controller, "spec.finalizers", "metadata.labels['kubernetes.io/metadata.name']")...)
	all = append(all, rulesFor("", "Namespace", allocated, annotation("openshift.io/sa.scc.mcs"),
		annotation("openshift.io/sa.scc.supplemental-groups"), annotation("openshift.io/sa.scc.uid-range"))...)
	all = append(all, rulesFor("", "Pod", controller, "spec.nodeName")...)
	for _, label := range []string{"['controller-uid']", "['batch.kubernetes.io/controller-uid']"} {
		all = append(all, rulesFor("batch", "Job", job, "metadata.labels"+label, "spec.selector.matchLabels"+label, "spec.template.metadata.labels"+label)...)
	}
	for _, kind := range []string{"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"} {
		all = append(all, rulesFor("admissionregistration.k8s.io", kind, authority, "webhooks[*].clientConfig.caBundle")...)
	}
	all = append(all, rulesFor("apiregistration.k8s.io", "APIService", authority, "spec.caBundle")...)
	return append(all, rulesFor("apiextensions.k8s.io", "CustomResourceDefinition", authority, "spec.conversion.webhook.clientConfig.caBundle")...)
}

func rulesFor(group, kind, why string, paths ...string) []Rule {
	rules := make([]Rule, 0, len(paths))
	for _, path := range paths {
		rules = append(rules, Rule{Group: group, Kind: kind, Path: path, Why: why})
	}
	return rules
}

func annotation(name string) string { return "metadata.annotations['" + name + "']" }

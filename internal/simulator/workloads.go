package simulator

import (
	"fmt"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Every hibernatedEvery-th deployment, stateful set and rollout is hibernated: no replicas, and an annotation that remembers
// how many there were. Every standaloneEvery-th replica set is no deployment's.
const (
	hibernatedEvery      = 7
	hibernatedAnnotation = "hibernator.devtron.ai/replicas"
	standaloneEvery      = 10
)

// replicasOf a workload, and of the replica set of a deployment.
func replicasOf(p place) int32 {
	if p.index%hibernatedEvery == hibernatedEvery-1 {
		return 0
	}
	return 3
}

func workloadLabels(p place) map[string]string {
	tiers := [...]string{"frontend", "backend"}
	return map[string]string{"app": appName(p.index), "tier": tiers[p.index%len(tiers)]}
}

func imageOf(p place) string {
	return fmt.Sprintf("registry.example.com/%s:1.%d.0", appName(p.index), p.index%5)
}

// podSpec has its filler in the environment, where long pods are long.
func podSpec(p place) corev1.PodSpec {
	grace := int64(30)
	c := corev1.Container{
		Name:  appName(p.index),
		Image: imageOf(p),
		Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP}},
		Env:   []corev1.EnvVar{{Name: "LOG_LEVEL", Value: "info"}, {Name: "PORT", Value: "8080"}},
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{
				corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("128Mi"),
			},
		},
		TerminationMessagePath:   corev1.TerminationMessagePathDefault,
		TerminationMessagePolicy: corev1.TerminationMessageReadFile,
		ImagePullPolicy:          corev1.PullIfNotPresent,
	}
	for i, text := range p.filler {
		c.Env = append(c.Env, corev1.EnvVar{Name: fillerName(i), Value: text})
	}
	return corev1.PodSpec{
		Containers:                    []corev1.Container{c},
		RestartPolicy:                 corev1.RestartPolicyAlways,
		TerminationGracePeriodSeconds: &grace,
		DNSPolicy:                     corev1.DNSClusterFirst,
		SchedulerName:                 corev1.DefaultSchedulerName,
	}
}

func podType() *resourceType {
	return &resourceType{
		version: "v1", plural: "pods", singular: "pod", kind: "Pod", shortNames: []string{"po"},
		categories: []string{"all"}, namespaced: true, count: 50,
		columns: []metav1.TableColumnDefinition{
			column("Name", "string"), column("Ready", "string"), column("Status", "string"), column("Restarts", "string"),
			column("Age", "string"), wide("IP"), wide("Node"), wide("Nominated Node"), wide("Readiness Gates"),
		},
		make: makePod,
	}
}

func makePod(p place) product {
	name := fmt.Sprintf("%s-5d4f8c9b7d-%05d", appName(p.index), p.index)
	labels := workloadLabels(p)
	labels["pod-template-hash"] = "5d4f8c9b7d"
	address := fmt.Sprintf("10.244.%d.%d", p.index>>8&255, p.index&255)
	started := metav1.NewTime(p.created())
	pod := &corev1.Pod{
		ObjectMeta: p.meta("Pod", name, labels),
		Spec:       podSpec(p),
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning,
			Conditions: []corev1.PodCondition{
				{Type: corev1.PodInitialized, Status: corev1.ConditionTrue, LastTransitionTime: started},
				{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: started},
				{Type: corev1.ContainersReady, Status: corev1.ConditionTrue, LastTransitionTime: started},
				{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: started},
			},
			PodIP:     address,
			PodIPs:    []corev1.PodIP{{IP: address}},
			StartTime: &started,
			ContainerStatuses: []corev1.ContainerStatus{{
				Name:  appName(p.index),
				Image: imageOf(p),
				Ready: true,
				State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: started}},
			}},
			QOSClass: corev1.PodQOSBurstable,
		},
	}
	pod.Spec.NodeName = nodeName(p.index % 3)
	return product{object: pod, meta: &pod.ObjectMeta, cells: []any{
		name, "1/1", "Running", "0", p.age(), address, pod.Spec.NodeName, "<none>", "<none>",
	}}
}

func deploymentType() *resourceType {
	return &resourceType{
		group: "apps", version: "v1", plural: "deployments", singular: "deployment", kind: "Deployment",
		shortNames: []string{"deploy"}, categories: []string{"all"}, namespaced: true, count: 10,
		columns: []metav1.TableColumnDefinition{
			column("Name", "string"), column("Ready", "string"), column("Up-to-date", "string"),
			column("Available", "string"), column("Age", "string"), wide("Containers"), wide("Images"), wide("Selector"),
		},
		make: makeDeployment,
	}
}

func makeDeployment(p place) product {
	labels, replicas := workloadLabels(p), replicasOf(p)
	d := &appsv1.Deployment{ObjectMeta: p.meta("Deployment", fmt.Sprintf("%s-%05d", appName(p.index), p.index), labels)}
	hibernate(&d.ObjectMeta, replicas)
	d.Spec = appsv1.DeploymentSpec{
		Replicas: &replicas,
		Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: podSpec(p)},
		Strategy: appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType},
	}
	d.Status = appsv1.DeploymentStatus{
		ObservedGeneration: 1, Replicas: replicas, UpdatedReplicas: replicas, ReadyReplicas: replicas,
		AvailableReplicas: replicas,
	}
	current := strconv.Itoa(int(replicas))
	return product{object: d, meta: &d.ObjectMeta, cells: []any{
		d.Name, current + "/" + current, current, current, p.age(),
		appName(p.index), imageOf(p), selectorText(labels),
	}}
}

func statefulSetType() *resourceType {
	return &resourceType{
		group: "apps", version: "v1", plural: "statefulsets", singular: "statefulset", kind: "StatefulSet",
		shortNames: []string{"sts"}, categories: []string{"all"}, namespaced: true, count: 3,
		columns: []metav1.TableColumnDefinition{
			column("Name", "string"), column("Ready", "string"), column("Age", "string"), wide("Containers"), wide("Images"),
		},
		make: func(p place) product {
			labels, replicas := workloadLabels(p), replicasOf(p)
			s := &appsv1.StatefulSet{
				ObjectMeta: p.meta("StatefulSet", fmt.Sprintf("%s-db-%05d", appName(p.index), p.index), labels),
				Spec: appsv1.StatefulSetSpec{
					Replicas:    &replicas,
					Selector:    &metav1.LabelSelector{MatchLabels: labels},
					ServiceName: appName(p.index),
					Template:    corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: podSpec(p)},
				},
				Status: appsv1.StatefulSetStatus{Replicas: replicas, ReadyReplicas: replicas, CurrentReplicas: replicas},
			}
			hibernate(&s.ObjectMeta, replicas)
			return product{object: s, meta: &s.ObjectMeta, cells: []any{
				s.Name, fmt.Sprintf("%d/%d", replicas, replicas), p.age(), appName(p.index), imageOf(p),
			}}
		},
	}
}

func replicaSetType() *resourceType {
	return &resourceType{
		group: "apps", version: "v1", plural: "replicasets", singular: "replicaset", kind: "ReplicaSet",
		shortNames: []string{"rs"}, categories: []string{"all"}, namespaced: true, count: 10,
		columns: []metav1.TableColumnDefinition{
			column("Name", "string"), column("Desired", "integer"), column("Current", "integer"),
			column("Ready", "integer"), column("Age", "string"), wide("Containers"), wide("Images"), wide("Selector"),
		},
		make: func(p place) product {
			labels, replicas, controller := workloadLabels(p), replicasOf(p), true
			labels["pod-template-hash"] = "5d4f8c9b7d"
			parent := fmt.Sprintf("%s-%05d", appName(p.index), p.index)
			r := &appsv1.ReplicaSet{
				ObjectMeta: p.meta("ReplicaSet", parent+"-5d4f8c9b7d", labels),
				Spec: appsv1.ReplicaSetSpec{
					Replicas: &replicas,
					Selector: &metav1.LabelSelector{MatchLabels: labels},
					Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: podSpec(p)},
				},
				Status: appsv1.ReplicaSetStatus{Replicas: replicas, ReadyReplicas: replicas, AvailableReplicas: replicas},
			}
			if p.index%standaloneEvery != standaloneEvery-1 {
				r.OwnerReferences = []metav1.OwnerReference{{
					APIVersion: "apps/v1", Kind: "Deployment", Name: parent, Controller: &controller,
					UID: uidOf("Deployment", p.namespace, parent),
				}}
			}
			return product{object: r, meta: &r.ObjectMeta, cells: []any{
				r.Name, replicas, replicas, replicas, p.age(), appName(p.index), imageOf(p), selectorText(labels),
			}}
		},
	}
}

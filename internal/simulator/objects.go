package simulator

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// namespaceName gives the names of real clusters first, then numbered ones; they are sorted.
func namespaceName(i int) string {
	known := [...]string{"default", "kube-system", "payments", "search", "shop"}
	if i < len(known) {
		return known[i]
	}
	return fmt.Sprintf("team-%06d", i)
}

// appName is what workloads are named for.
func appName(i int) string {
	apps := [...]string{"web", "api", "worker", "cache", "billing", "orders", "gateway", "search"}
	return apps[i%len(apps)]
}

// created is when the object at p came to be: some days ago, which makes ages that do not change while one watches.
func (p place) created() time.Time {
	return p.now.Truncate(time.Second).Add(-time.Duration(20+p.index%300)*24*time.Hour - time.Hour)
}

func (p place) age() string { return age(p.created(), p.now) }

// meta is the metadata that a server gives to an object.
func (p place) meta(kind, name string, labels map[string]string) metav1.ObjectMeta {
	created := metav1.NewTime(p.created())
	return metav1.ObjectMeta{
		Name:              name,
		Namespace:         p.namespace,
		UID:               uidOf(kind, p.namespace, name),
		ResourceVersion:   strconv.Itoa(1000 + p.index),
		Generation:        1,
		CreationTimestamp: created,
		Labels:            labels,
		ManagedFields: []metav1.ManagedFieldsEntry{{
			Manager:    "fleetsim",
			Operation:  metav1.ManagedFieldsOperationUpdate,
			APIVersion: "v1",
			Time:       &created,
			FieldsType: "FieldsV1",
			FieldsV1:   metav1.NewFieldsV1(`{"f:metadata":{"f:labels":{".":{},"f:app":{},"f:tier":{}}}}`),
		}},
	}
}

// annotate puts filler where objects have no other room for it.
func (p place) annotate(m *metav1.ObjectMeta) {
	if len(p.filler) == 0 {
		return
	}
	m.Annotations = map[string]string{}
	for i, text := range p.filler {
		m.Annotations[domain+"/"+fillerName(i)] = text
	}
}

func uidOf(kind, namespace, name string) types.UID {
	h := sha256.Sum256([]byte(kind + "/" + namespace + "/" + name))
	return types.UID(fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16]))
}

// column is a column of a Table; a hidden one is shown by -o wide.
func column(name, kind string) metav1.TableColumnDefinition {
	c := metav1.TableColumnDefinition{Name: name, Type: kind, Description: name + " as kubectl prints it."}
	if name == "Name" {
		c.Format = "name"
	}
	return c
}

func wide(name string) metav1.TableColumnDefinition {
	c := column(name, "string")
	c.Priority = 1
	return c
}

func namespaceType() *resourceType {
	return &resourceType{
		version: "v1", plural: "namespaces", singular: "namespace", kind: "Namespace", shortNames: []string{"ns"},
		count:   5,
		columns: []metav1.TableColumnDefinition{column("Name", "string"), column("Status", "string"), column("Age", "string")},
		make: func(p place) product {
			name := namespaceName(p.index)
			n := &corev1.Namespace{
				ObjectMeta: p.meta("Namespace", name, map[string]string{"kubernetes.io/metadata.name": name}),
				Spec:       corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{corev1.FinalizerKubernetes}},
				Status:     corev1.NamespaceStatus{Phase: corev1.NamespaceActive},
			}
			p.annotate(&n.ObjectMeta)
			return product{object: n, meta: &n.ObjectMeta, cells: []any{name, "Active", p.age()}}
		},
	}
}

func nodeType() *resourceType {
	return &resourceType{
		version: "v1", plural: "nodes", singular: "node", kind: "Node", shortNames: []string{"no"},
		count: 3,
		columns: []metav1.TableColumnDefinition{
			column("Name", "string"), column("Status", "string"), column("Roles", "string"), column("Age", "string"),
			column("Version", "string"), wide("Internal-IP"), wide("External-IP"), wide("OS-Image"),
			wide("Kernel-Version"), wide("Container-Runtime"),
		},
		make: makeNode,
	}
}

func makeNode(p place) product {
	name := nodeName(p.index)
	address := fmt.Sprintf("10.%d.%d.%d", p.index>>16&255, p.index>>8&255, p.index&255)
	n := &corev1.Node{
		ObjectMeta: p.meta("Node", name, map[string]string{
			"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
		}),
		Spec: corev1.NodeSpec{PodCIDR: "10.244.0.0/24", ProviderID: "fleetsim:///" + name},
		Status: corev1.NodeStatus{
			Capacity: corev1.ResourceList{
				corev1.ResourceCPU:    resource.MustParse("8"),
				corev1.ResourceMemory: resource.MustParse("32Gi"),
				corev1.ResourcePods:   resource.MustParse("110"),
			},
			Conditions: []corev1.NodeCondition{{
				Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady",
				LastHeartbeatTime: metav1.NewTime(p.created()), LastTransitionTime: metav1.NewTime(p.created()),
			}},
			Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address}},
			NodeInfo: corev1.NodeSystemInfo{
				KubeletVersion: kubernetesVersion, OSImage: "Debian GNU/Linux 13", KernelVersion: "6.12.0",
				ContainerRuntimeVersion: "containerd://2.1.0", OperatingSystem: "linux", Architecture: "amd64",
			},
		},
	}
	p.annotate(&n.ObjectMeta)
	return product{object: n, meta: &n.ObjectMeta, cells: []any{
		name, "Ready", "<none>", p.age(), kubernetesVersion, address, "<none>", "Debian GNU/Linux 13", "6.12.0",
		"containerd://2.1.0",
	}}
}

func nodeName(i int) string { return fmt.Sprintf("node-%04d", i) }

// widget is an object of a type that only a CustomResourceDefinition knows; its fields are in the order of their names.
type widget struct {
	APIVersion        string `json:"apiVersion"`
	Kind              string `json:"kind"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              widgetSpec `json:"spec"`
}

type widgetSpec struct {
	Colour string `json:"colour"`
	Size   int    `json:"size"`
}

func widgetType() *resourceType {
	return &resourceType{
		group: "example.com", version: "v1", plural: "widgets", singular: "widget", kind: "Widget",
		shortNames: []string{"wd"}, namespaced: true, custom: true,
		count: 5,
		columns: []metav1.TableColumnDefinition{
			column("Name", "string"), column("Colour", "string"), column("Size", "integer"), column("Age", "date"),
		},
		make: func(p place) product {
			colours := [...]string{"red", "green", "blue"}
			w := &widget{
				APIVersion: "example.com/v1",
				Kind:       "Widget",
				ObjectMeta: p.meta("Widget", fmt.Sprintf("widget-%05d", p.index), map[string]string{"app": appName(p.index)}),
				Spec:       widgetSpec{Colour: colours[p.index%len(colours)], Size: p.index % 10},
			}
			p.annotate(&w.ObjectMeta)
			return product{object: w, meta: &w.ObjectMeta, cells: []any{w.Name, w.Spec.Colour, w.Spec.Size, p.age()}}
		},
	}
}

// selectorText is how kubectl prints one.
func selectorText(labels map[string]string) string {
	var parts []string
	for _, key := range []string{"app", "tier", "pod-template-hash"} {
		if value, ok := labels[key]; ok {
			parts = append(parts, key+"="+value)
		}
	}
	return strings.Join(parts, ",")
}

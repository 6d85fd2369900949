package simulator

import (
	"encoding/json"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func configMapType() *resourceType {
	return &resourceType{
		version: "v1", plural: "configmaps", singular: "configmap", kind: "ConfigMap", shortNames: []string{"cm"},
		namespaced: true, count: 20,
		columns: []metav1.TableColumnDefinition{column("Name", "string"), column("Data", "string"), column("Age", "string")},
		make: func(p place) product {
			name := fmt.Sprintf("%s-config-%05d", appName(p.index), p.index)
			m := &corev1.ConfigMap{
				ObjectMeta: p.meta("ConfigMap", name, map[string]string{"app": appName(p.index)}),
				Data: map[string]string{
					"LOG_LEVEL":     "info",
					"config.yaml":   fmt.Sprintf("server:\n  port: %d\n  name: %q\n", 8000+p.index%1000, name),
					"FEATURE_FLAGS": "search=on,beta=off",
				},
			}
			for i, text := range p.filler {
				m.Data[fillerName(i)] = text
			}
			return product{object: m, meta: &m.ObjectMeta, cells: []any{name, strconv.Itoa(len(m.Data)), p.age()}}
		},
	}
}

// secretType makes secrets whose values are also in the annotation that kubectl apply leaves behind: whoever hides
// secrets has to hide them there as well.
func secretType() *resourceType {
	return &resourceType{
		version: "v1", plural: "secrets", singular: "secret", kind: "Secret", namespaced: true, count: 10,
		columns: []metav1.TableColumnDefinition{
			column("Name", "string"), column("Type", "string"), column("Data", "string"), column("Age", "string"),
		},
		make: makeSecret,
	}
}

func makeSecret(p place) product {
	name := fmt.Sprintf("%s-credentials-%05d", appName(p.index), p.index)
	s := &corev1.Secret{
		ObjectMeta: p.meta("Secret", name, map[string]string{"app": appName(p.index)}),
		Type:       corev1.SecretTypeOpaque,
		Data: map[string][]byte{
			"username": []byte(appName(p.index)),
			"password": fmt.Appendf(nil, "not-a-real-password-%05d", p.index),
		},
	}
	applied, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "Secret", "data": s.Data})
	if err == nil { // maps of bytes always marshal
		s.Annotations = map[string]string{corev1.LastAppliedConfigAnnotation: string(applied)}
	}
	for i, text := range p.filler {
		s.Data[fillerName(i)] = []byte(text)
	}
	return product{object: s, meta: &s.ObjectMeta, cells: []any{name, "Opaque", strconv.Itoa(len(s.Data)), p.age()}}
}

func serviceType() *resourceType {
	return &resourceType{
		version: "v1", plural: "services", singular: "service", kind: "Service", shortNames: []string{"svc"},
		categories: []string{"all"}, namespaced: true, count: 10,
		columns: []metav1.TableColumnDefinition{
			column("Name", "string"), column("Type", "string"), column("Cluster-IP", "string"),
			column("External-IP", "string"), column("Port(s)", "string"), column("Age", "string"), wide("Selector"),
		},
		make: func(p place) product {
			app := appName(p.index)
			name := fmt.Sprintf("%s-%05d", app, p.index)
			address := fmt.Sprintf("10.96.%d.%d", p.index>>8&255, p.index&255)
			s := &corev1.Service{
				ObjectMeta: p.meta("Service", name, map[string]string{"app": app}),
				Spec: corev1.ServiceSpec{
					Type:            corev1.ServiceTypeClusterIP,
					ClusterIP:       address,
					ClusterIPs:      []string{address},
					Selector:        map[string]string{"app": app},
					SessionAffinity: corev1.ServiceAffinityNone,
					Ports: []corev1.ServicePort{{
						Name: "http", Port: 80, TargetPort: intstr.FromInt32(8080), Protocol: corev1.ProtocolTCP,
					}},
				},
			}
			p.annotate(&s.ObjectMeta)
			return product{object: s, meta: &s.ObjectMeta, cells: []any{
				name, "ClusterIP", address, "<none>", "80/TCP", p.age(), selectorText(s.Spec.Selector),
			}}
		},
	}
}

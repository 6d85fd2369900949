// Package manifesttest has bodies as API servers send them.
package manifesttest

import (
	"fmt"
	"strings"
)

// PodList returns a list of n pods, some 5 KB each, a fifth of it managedFields.
func PodList(n int) string {
	var b strings.Builder
	b.WriteString(`{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"8421337","continue":"ZXlKMg",` +
		`"remainingItemCount":4711},"items":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		WritePod(&b, i)
	}
	b.WriteString("]}\n")
	return b.String()
}

// WritePod writes the i-th pod of such a list.
func WritePod(b *strings.Builder, i int) {
	name := fmt.Sprintf("checkout-api-%08x-%05x", i*2654435761%(1<<32), i)
	namespace := fmt.Sprintf("team-%02d", i/20)
	fmt.Fprintf(b, `{"metadata":{"name":%q,"generateName":"checkout-api-","namespace":%q,"uid":"%08x-4a5b-4c6d-8e7f-%012x",`+
		`"resourceVersion":"%d","creationTimestamp":"2026-03-14T09:26:53Z","labels":{"app.kubernetes.io/name":"checkout-api",`+
		`"app.kubernetes.io/instance":"checkout","app.kubernetes.io/version":"v1.%d.0","pod-template-hash":"%08x"},`+
		`"annotations":{"prometheus.io/scrape":"true","prometheus.io/port":"9102","checksum/config":"%064x",`+
		`"description":"says \"hello\" and\nsplits \\ lines"},"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet",`+
		`"name":"checkout-api","uid":"%08x-1111-4222-8333-%012x","controller":true,"blockOwnerDeletion":true}],"managedFields":[`,
		name, namespace, i, i, 800000+i, i%9, i, i*7919, i, i)
	for j, manager := range []string{"kube-controller-manager", "kubelet"} {
		if j > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, `{"manager":%q,"operation":"Update","apiVersion":"v1","time":"2026-03-14T09:26:54Z","fieldsType":"FieldsV1",`+
			`"fieldsV1":{"f:metadata":{"f:annotations":{".":{},"f:checksum/config":{}},"f:generateName":{},"f:labels":{".":{},`+
			`"f:app.kubernetes.io/name":{},"f:pod-template-hash":{}},"f:ownerReferences":{".":{},"k:{\"uid\":\"%08x\"}":{}}},`+
			`"f:spec":{"f:containers":{"k:{\"name\":\"app\"}":{".":{},"f:env":{".":{}},"f:image":{},"f:name":{},"f:resources":{}}}}}}`,
			manager, i)
	}
	b.WriteString(`]},"spec":{"volumes":[{"name":"config","configMap":{"name":"checkout-config","defaultMode":420}},` +
		`{"name":"kube-api-access","projected":{"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}}],` +
		`"defaultMode":420}}],"containers":[`)
	for j, container := range []string{"app", "proxy", "metrics"} {
		if j > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, `{"name":%q,"image":"registry.example.com/checkout/%s:v1.%d.0","args":["--listen=0.0.0.0:8080",`+
			`"--log-format=json","--config=/etc/checkout/config.yaml"],"ports":[{"name":"http","containerPort":8080,`+
			`"protocol":"TCP"}],"env":[{"name":"POD_NAME","valueFrom":{"fieldRef":{"apiVersion":"v1","fieldPath":"metadata.name"}}},`+
			`{"name":"GOMEMLIMIT","value":"200MiB"}],"resources":{"limits":{"cpu":"500m","memory":"256Mi"},"requests":{"cpu":"100m",`+
			`"memory":"128Mi"}},"volumeMounts":[{"name":"config","readOnly":true,"mountPath":"/etc/checkout"}],"readinessProbe":{`+
			`"httpGet":{"path":"/ready","port":"http","scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":10},`+
			`"terminationMessagePath":"/dev/termination-log","imagePullPolicy":"IfNotPresent","securityContext":{"privileged":false}}`,
			container, container, i%9)
	}
	fmt.Fprintf(b, `],"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","nodeName":"node-%d",`+
		`"tolerations":[{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}]},`+
		`"status":{"phase":"Running","conditions":[`, i%50)
	for j, condition := range []string{"Initialized", "Ready", "ContainersReady", "PodScheduled"} {
		if j > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, `{"type":%q,"status":"True","lastProbeTime":null,"lastTransitionTime":"2026-03-14T09:27:03Z"}`, condition)
	}
	fmt.Fprintf(b, `],"hostIP":"10.0.%d.%d","podIP":"10.1.%d.%d","startTime":"2026-03-14T09:26:53Z","containerStatuses":[`+
		`{"name":"app","state":{"running":{"startedAt":"2026-03-14T09:26:58Z"}},"lastState":{},"ready":true,"restartCount":%d,`+
		`"imageID":"registry.example.com/checkout/app@sha256:%064x","started":true}],"qosClass":"Burstable"}}`,
		i%256, i%251, i%256, i%241, i%3, i)
}

package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// healthChecks are those of kube-apiserver, in its order. The last one of readyz is shutdownCheck, which is not here.
func healthChecks() []string {
	return []string{
		"ping",
		"log",
		"etcd",
		"etcd-readiness",
		"informer-sync",
		"poststarthook/start-apiserver-admission-initializer",
		"poststarthook/generic-apiserver-start-informers",
		"poststarthook/priority-and-fairness-config-consumer",
		"poststarthook/priority-and-fairness-filter",
		"poststarthook/storage-object-count-tracker-hook",
		"poststarthook/start-apiextensions-informers",
		"poststarthook/start-apiextensions-controllers",
		"poststarthook/crd-informer-synced",
		"poststarthook/start-system-namespaces-controller",
		"poststarthook/start-cluster-authentication-info-controller",
		"poststarthook/start-kube-apiserver-identity-lease-controller",
		"poststarthook/start-kube-apiserver-identity-lease-garbage-collector",
		"poststarthook/start-legacy-token-tracking-controller",
		"poststarthook/start-service-ip-repair-controllers",
		"poststarthook/rbac/bootstrap-roles",
		"poststarthook/scheduling/bootstrap-system-priority-classes",
		"poststarthook/priority-and-fairness-config-producer",
		"poststarthook/bootstrap-controller",
		"poststarthook/aggregator-reload-proxy-client-cert",
		"poststarthook/start-kube-aggregator-informers",
		"poststarthook/apiservice-registration-controller",
		"poststarthook/apiservice-status-available-controller",
		"poststarthook/apiservice-discovery-controller",
		"poststarthook/kube-apiserver-autoregistration",
		"autoregister-completion",
		"poststarthook/apiservice-openapi-controller",
		"poststarthook/apiservice-openapiv3-controller",
	}
}

const shutdownCheck = "shutdown"

// health answers /readyz and its siblings, in the words of kube-apiserver; failing are the checks that fail.
func (x *exchange) health(name, check string, failing []string) error {
	if check != "" {
		return x.healthCheck(name, check, failing)
	}
	if len(failing) == 0 && x.r.URL.RawQuery == "" { // what thousands of probes ask
		return x.text(http.StatusOK, "ok")
	}
	query := x.r.URL.Query()
	report, failed := healthReport(name, failing, query["exclude"])
	if failed {
		return x.text(http.StatusInternalServerError, report+name+" check failed\n")
	}
	if !query.Has("verbose") {
		return x.text(http.StatusOK, "ok")
	}
	return x.text(http.StatusOK, report+name+" check passed\n")
}

// healthCheck answers for a single check: /readyz/etcd.
func (x *exchange) healthCheck(name, check string, failing []string) error {
	switch {
	case slices.Contains(failing, check):
		return x.text(http.StatusInternalServerError, "internal server error: check failed\n")
	case slices.Contains(checksOf(name, nil), check):
		return x.text(http.StatusOK, "ok")
	default:
		return x.notFound()
	}
}

// healthReport has a line for each check.
func healthReport(name string, failing, excluded []string) (report string, failed bool) {
	var b strings.Builder
	for _, check := range checksOf(name, failing) {
		switch {
		case slices.Contains(excluded, check):
			fmt.Fprintf(&b, "[+]%s excluded: ok\n", check)
		case slices.Contains(failing, check):
			fmt.Fprintf(&b, "[-]%s failed: reason withheld\n", check)
			failed = true
		default:
			fmt.Fprintf(&b, "[+]%s ok\n", check)
		}
	}
	return b.String(), failed
}

// checksOf lists the checks of an endpoint; what fails without being known to kube-apiserver comes last but shutdown.
func checksOf(name string, failing []string) []string {
	checks := healthChecks()
	for _, check := range failing {
		if check != shutdownCheck && !slices.Contains(checks, check) {
			checks = append(checks, check)
		}
	}
	if name == "readyz" {
		checks = append(checks, shutdownCheck)
	}
	return checks
}

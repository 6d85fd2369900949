package cluster

// State is the condition of a cluster.
type State int

// The states of a cluster.
const (
	Unknown State = iota
	Healthy
	Degraded
	Unreachable
	Unauthorized
)

// States returns all of them.
func States() []State { return []State{Unknown, Healthy, Degraded, Unreachable, Unauthorized} }

// String returns the state's name, which never changes its meaning.
func (s State) String() string {
	switch s {
	case Healthy:
		return "HEALTHY"
	case Degraded:
		return "DEGRADED"
	case Unreachable:
		return "UNREACHABLE"
	case Unauthorized:
		return "UNAUTHORIZED"
	case Unknown:
	}
	return "UNKNOWN"
}

// Blame says whose fault a failure is.
type Blame int

// The parties that can be at fault.
const (
	BlameNone Blame = iota
	BlameNetwork
	BlameCredential
	BlameControlPlane
	BlameObserver
)

// Reason is the cause of a failure. Its text is what callers match on; it never changes its meaning.
type Reason string

// The reasons of failures.
const (
	DNSFailure             Reason = "DNS_FAILURE"
	ConnectTimeout         Reason = "CONNECT_TIMEOUT"
	ConnectionRefused      Reason = "CONNECTION_REFUSED"
	ConnectionReset        Reason = "CONNECTION_RESET"
	TLSExpired             Reason = "TLS_EXPIRED"
	TLSUnknownAuthority    Reason = "TLS_UNKNOWN_AUTHORITY"
	TLSHostnameMismatch    Reason = "TLS_HOSTNAME_MISMATCH"
	TLSHandshakeFailed     Reason = "TLS_HANDSHAKE_FAILED"
	Unauthenticated        Reason = "UNAUTHENTICATED"
	Forbidden              Reason = "FORBIDDEN"
	Throttled              Reason = "THROTTLED"
	NotReady               Reason = "NOT_READY"
	ServerError            Reason = "SERVER_ERROR"
	MalformedResponse      Reason = "MALFORMED_RESPONSE"
	ResponseTooLarge       Reason = "RESPONSE_TOO_LARGE"
	Redirected             Reason = "REDIRECTED"
	ResponseTimeout        Reason = "RESPONSE_TIMEOUT"
	QueueTimeout           Reason = "QUEUE_TIMEOUT"
	CredentialPluginFailed Reason = "CREDENTIAL_PLUGIN_FAILED"
	ObserverSuspect        Reason = "OBSERVER_SUSPECT"
	NotAttempted           Reason = "NOT_ATTEMPTED"
	NotFound               Reason = "NOT_FOUND"
	InvalidRequest         Reason = "INVALID_REQUEST"
	Internal               Reason = "INTERNAL"
)

// meaning is what a reason implies: the state of a cluster whose probe fails with it, who is to blame unless more is
// known, and what to do.
type meaning struct {
	state State
	blame Blame
	hint  string
}

func (r Reason) meaning() meaning {
	switch r {
	case DNSFailure:
		return meaning{Unreachable, BlameNetwork, "check the server address in the kubeconfig and the aggregator's resolver"}
	case ConnectTimeout:
		return meaning{Unreachable, BlameNetwork, "check routes, firewalls and security groups between the aggregator and the API server"}
	case ConnectionRefused:
		return meaning{Unreachable, BlameNetwork, "check that the API server listens on this address and port"}
	case ConnectionReset:
		return meaning{Unreachable, BlameNetwork, "check load balancers and firewalls on the way, and the API server's log"}
	case TLSExpired:
		return meaning{Unreachable, BlameControlPlane, "renew the API server's serving certificate (kubeadm certs renew apiserver, then restart the API server), or check the clocks"}
	case TLSUnknownAuthority:
		return meaning{Unreachable, BlameCredential, "put the cluster's current certificate authority into certificate-authority-data"}
	case TLSHostnameMismatch:
		return meaning{Unreachable, BlameControlPlane, "use an address that the serving certificate names, or set tls-server-name"}
	case TLSHandshakeFailed:
		return meaning{Unreachable, BlameControlPlane, "check that a Kubernetes API server answers at this address, and its TLS settings"}
	case Unauthenticated:
		return meaning{Unauthorized, BlameCredential, "renew the credential of this context (kubeadm certs renew admin.conf, or kubectl create token): it is expired, revoked or for another cluster"}
	case Forbidden:
		return meaning{Unauthorized, BlameCredential, "bind a role with the missing right to this user"}
	case Throttled:
		return meaning{Degraded, BlameControlPlane, "ask less often, or raise the API server's priority and fairness limits"}
	case NotReady:
		return meaning{Degraded, BlameControlPlane, "look at the failing readiness checks on the control plane"}
	case ServerError:
		return meaning{Degraded, BlameControlPlane, "look at the API server's log"}
	case MalformedResponse:
		return meaning{Degraded, BlameControlPlane, "check that this address is a Kubernetes API server and not a portal or proxy"}
	case ResponseTooLarge:
		return meaning{Degraded, BlameControlPlane, "narrow the request, or check what answers at this address"}
	case Redirected:
		return meaning{Degraded, BlameControlPlane, "put the API server's own address into the kubeconfig: redirects are not followed"}
	case ResponseTimeout:
		return meaning{Unreachable, BlameControlPlane, "check the load of the API server and of etcd, or allow more time"}
	case QueueTimeout:
		return meaning{Unknown, BlameObserver, "allow more time, select fewer clusters, or raise the concurrency"}
	case CredentialPluginFailed:
		return meaning{Unauthorized, BlameCredential, "run the credential plugin by hand as the aggregator's user"}
	case ObserverSuspect:
		return meaning{Unknown, BlameObserver, "check the aggregator's own network"}
	case NotAttempted:
		return meaning{Unknown, BlameObserver, "allow more time, select fewer clusters, or raise the concurrency"}
	case NotFound:
		return meaning{Healthy, BlameNone, "check the name, the namespace and the type, or whether the CRD is installed there"}
	case InvalidRequest:
		return meaning{Healthy, BlameNone, "correct the request"}
	case Internal:
		return meaning{Unknown, BlameObserver, "look at the aggregator's log"}
	}
	return meaning{state: Unknown, blame: BlameObserver}
}

// State returns the state that a probe failing for this reason finds its cluster in.
func (r Reason) State() State { return r.meaning().state }

// Phase is the step of a call in which it ended.
type Phase int32

// The phases of a call, in their order.
const (
	PhaseQueue Phase = iota
	PhaseCredential
	PhaseDNS
	PhaseConnect
	PhaseTLS
	PhaseSend
	PhaseWait
	PhaseBody
)

// String says what the call was doing.
func (p Phase) String() string {
	switch p {
	case PhaseQueue:
		return "waiting for its turn"
	case PhaseCredential:
		return "getting the credential"
	case PhaseDNS:
		return "resolving the name"
	case PhaseConnect:
		return "connecting"
	case PhaseTLS:
		return "in the TLS handshake"
	case PhaseSend:
		return "sending the request"
	case PhaseWait:
		return "waiting for the answer"
	case PhaseBody:
		return "reading the answer"
	}
	return "unknown phase"
}

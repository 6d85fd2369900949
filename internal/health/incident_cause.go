package health

import "github.com/clusterfleet/clusterfleet/pkg/cluster"

func (t Traits) of(c Cause) string {
	switch c {
	case CauseZone:
		return t.Zone
	case CauseAuthority:
		return t.Authority
	case CauseRange:
		return t.Range
	case CauseRegion:
		return t.Region
	}
	return ""
}

// causesOf returns what can explain a reason, the most telling first. Nothing explains what is our own fault.
func causesOf(r cluster.Reason) []Cause {
	switch r {
	case cluster.DNSFailure:
		return []Cause{CauseZone}
	case cluster.TLSExpired, cluster.TLSUnknownAuthority, cluster.TLSHostnameMismatch, cluster.TLSHandshakeFailed:
		return []Cause{CauseAuthority}
	case cluster.ConnectTimeout, cluster.ConnectionRefused, cluster.ConnectionReset, cluster.ResponseTimeout:
		return []Cause{CauseRange, CauseRegion, CauseZone}
	case cluster.QueueTimeout, cluster.ObserverSuspect, cluster.NotAttempted, cluster.Internal:
		return nil
	default:
		return []Cause{CauseRegion, CauseRange}
	}
}

func (c Cause) sharing() string {
	switch c {
	case CauseZone:
		return "in DNS zone"
	case CauseAuthority:
		return "with certificate authority"
	case CauseRange:
		return "in address range"
	case CauseRegion:
		return "in region"
	}
	return "with"
}

package health

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// The labels that name a region; the first that a cluster has counts.
const (
	regionLabel      = "topology.kubernetes.io/region"
	shortRegionLabel = "region"
)

// The ranges of addresses that are routed, and so fail, together.
const (
	rangeBits4 = 24
	rangeBits6 = 64
)

// fingerprintBytes are enough to tell apart all authorities that a fleet has.
const fingerprintBytes = 8

// TraitsOf returns the traits of a cluster. server is the address of its API server, such as https://host:port, caData its
// certificate authority in PEM. What cannot be told from them is empty.
func TraitsOf(server string, caData []byte, labels map[string]string) Traits {
	t := Traits{
		Authority: fingerprint(caData),
		Region:    cmp.Or(labels[regionLabel], labels[shortRegionLabel]),
	}
	u, err := url.Parse(server)
	if err != nil {
		return t
	}
	if address, err := netip.ParseAddr(u.Hostname()); err == nil {
		t.Range = rangeOf(address)
	} else {
		t.Zone = zoneOf(u.Hostname())
	}
	return t
}

func rangeOf(address netip.Addr) string {
	address = address.Unmap()
	bits := rangeBits6
	if address.Is4() {
		bits = rangeBits4
	}
	return netip.PrefixFrom(address, bits).Masked().String()
}

// zoneOf returns the name without its first label, empty where that is a public suffix: those who are under it have
// nothing in common.
func zoneOf(host string) string {
	_, zone, _ := strings.Cut(strings.ToLower(strings.TrimSuffix(host, ".")), ".")
	if suffix, _ := publicsuffix.PublicSuffix(zone); suffix == zone {
		return ""
	}
	return zone
}

// fingerprint returns the begin of the SHA-256 of the certificates, however their PEM is laid out.
func fingerprint(caData []byte) string {
	hash, found := sha256.New(), false
	for block, rest := pem.Decode(caData); block != nil; block, rest = pem.Decode(rest) {
		hash.Write(block.Bytes)
		found = true
	}
	if !found {
		hash.Write(bytes.TrimSpace(caData))
	}
	if len(bytes.TrimSpace(caData)) == 0 {
		return ""
	}
	return hex.EncodeToString(hash.Sum(nil)[:fingerprintBytes])
}

package health_test

import (
	"bytes"
	"encoding/pem"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterfleet/clusterfleet/internal/health"
)

func TestTraitsAreReadFromAddressAuthorityAndLabels(t *testing.T) {
	type labels = map[string]string
	for _, c := range []struct {
		server string
		labels labels
		want   health.Traits
	}{
		{server: "https://api.eu1.corp.example:6443", want: health.Traits{Zone: "eu1.corp.example"}},
		{server: "https://API.Corp.Example.:6443", want: health.Traits{Zone: "corp.example"}},
		{server: "https://0A1B.gr7.us-east-1.eks.amazonaws.com", want: health.Traits{Zone: "gr7.us-east-1.eks.amazonaws.com"}},
		{server: "https://cluster.com:6443", want: health.Traits{}},
		{server: "https://cluster.co.uk", want: health.Traits{}},
		{server: "https://cluster.internal", want: health.Traits{}},
		{server: "https://localhost:6443", want: health.Traits{}},
		{server: "https://10.2.3.4:6443", want: health.Traits{Range: "10.2.3.0/24"}},
		{server: "https://127.9.8.7", want: health.Traits{Range: "127.9.8.0/24"}},
		{server: "https://[2001:db8:1:2:3:4:5:6]:6443", want: health.Traits{Range: "2001:db8:1:2::/64"}},
		{server: "https://[::ffff:10.2.3.4]:6443", want: health.Traits{Range: "10.2.3.0/24"}},
		{server: "https://[fe80::1%25eth0]:6443", want: health.Traits{Range: "fe80::/64"}},
		{server: "", want: health.Traits{}},
		{server: "://%%", labels: labels{"region": "eu"}, want: health.Traits{Region: "eu"}},
		{labels: labels{"region": "eu", "topology.kubernetes.io/region": "eu-west-1"}, want: health.Traits{Region: "eu-west-1"}},
	} {
		if diff := cmp.Diff(c.want, health.TraitsOf(c.server, nil, c.labels)); diff != "" {
			t.Errorf("%s %v: -want +got:\n%s", c.server, c.labels, diff)
		}
	}
}

func TestAnAuthorityIsItsCertificatesHoweverTheyAreWritten(t *testing.T) {
	certificate := func(content string) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(content)})
	}
	authority := func(caData []byte) string { return health.TraitsOf("", caData, nil).Authority }
	a, b := certificate("one"), certificate("two")
	if authority(a) == "" || authority(a) == authority(b) || authority(a) == authority(bytes.Join([][]byte{a, b}, nil)) {
		t.Errorf("%q and %q", authority(a), authority(b))
	}
	if commented := append([]byte("# our CA\n\n"), a...); authority(commented) != authority(a) {
		t.Error("a comment makes another authority")
	}
	if authority(nil) != "" || authority([]byte(" \n")) != "" {
		t.Error("no authority has a fingerprint")
	}
	if authority([]byte("no PEM")) != authority([]byte("no PEM\n")) || authority([]byte("no PEM")) == "" {
		t.Error("what is no PEM is not told apart by what it says")
	}
}

package server

import (
	"strconv"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/health"
)

// FuzzPageToken: a token that no page has given is refused, or is as good as one that a page has given: it leads to the
// same place when it is given out again, and to one in the list.
func FuzzPageToken(f *testing.F) {
	for _, token := range []string{
		"", pageToken("7"), pageToken("0"), pageToken("-1"), pageToken("18446744073709551616"), pageToken("1:c-2"), pageToken("1:"), pageToken("2:3"), pageToken("2:-3"),
		pageToken("3:9223372036854775808"), pageToken("1:\xff\n"), "%%", "Mg==", "Mh", "M g",
	} {
		for order := range uint8(6) {
			f.Add(token, order)
		}
	}
	var records []*health.Record
	for i := range 5 {
		records = append(records, &health.Record{Subject: &health.Subject{Name: "c-" + strconv.Itoa(i)}})
	}
	f.Fuzz(func(t *testing.T, token string, number uint8) {
		sequence, err := parseSequence(token)
		requireFault(t, err)
		if err == nil && token != "" {
			if again, err := parseSequence(pageToken(strconv.FormatUint(sequence, 10))); err != nil || again != sequence || sequence == 0 {
				t.Errorf("%q is %d, which is given out as %d, %v", token, sequence, again, err)
			}
		}
		order := fleetv1.ListClusterHealthRequest_Order(number)
		p, err := parsePlace(token, order)
		requireFault(t, err)
		if err != nil {
			return
		}
		if again, err := parsePlace(p.token(), order); err != nil || again != p {
			t.Errorf("%q is %+v, which is given out as %+v, %v", token, p, again, err)
		}
		begin := p.in(records)
		if begin < 0 || begin > len(records) || token == "" && begin > 0 {
			t.Fatalf("%q begins at %d", token, begin)
		}
		for i, r := range records {
			if order == fleetv1.ListClusterHealthRequest_ORDER_NAME && (r.Subject.Name > p.name) != (i >= begin) {
				t.Errorf("behind %q comes %d", p.name, begin)
			}
		}
	})
}

func requireFault(t *testing.T, err error) {
	t.Helper()
	if err != nil && status.Code(err) != codes.InvalidArgument {
		t.Errorf("%v is not the caller's fault", err)
	}
}

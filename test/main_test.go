package test_test

import (
	"testing"

	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

// programs are what all tests run. TestMain can hand them over in no other way.
var programs *product.Programs //nolint:gochecknoglobals // see above

func TestMain(m *testing.M) {
	product.Main(m, func(p *product.Programs) { programs = p })
}

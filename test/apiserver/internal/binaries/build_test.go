package binaries_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/clusterfleet/clusterfleet/test/apiserver/internal/binaries"
)

const goMod = `module example.com/pins

go 1.26.0

require (
	go.etcd.io/etcd/server/v3 v3.6.8
	k8s.io/kubernetes v1.36.3
)

replace k8s.io/kubernetes => ./nowhere
`

func TestKeyTellsVersionsAndPlatform(t *testing.T) {
	key, err := binaries.Module{GoMod: []byte(goMod)}.Key()
	if err != nil {
		t.Fatal(err)
	}
	if want := "kube-apiserver-v1.36.3-etcd-v3.6.8-" + runtime.GOOS + "-" + runtime.GOARCH; key != want {
		t.Errorf("got %s, want %s", key, want)
	}
}

func TestKeyRefusesAModuleThatPinsOnlyOne(t *testing.T) {
	module := binaries.Module{GoMod: []byte("module example.com/pins\n\nrequire k8s.io/kubernetes v1.36.3\n")}
	if key, err := module.Key(); err == nil {
		t.Errorf("got %s", key)
	}
}

func TestBuildPassesOnWhatTheCompilerSays(t *testing.T) {
	var log strings.Builder
	err := binaries.Module{GoMod: []byte(goMod)}.Build(t.Context(), t.TempDir(), &log)
	if err == nil {
		t.Fatal("built from a module that is not there")
	}
	for _, fragment := range []string{"kube-apiserver v1.36.3", "etcd v3.6.8", "nowhere"} {
		if !strings.Contains(log.String(), fragment) {
			t.Errorf("nothing about %s in: %s", fragment, log.String())
		}
	}
}

package netns_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/clusterfleet/clusterfleet/test/faults/internal/netns"
)

func TestMain(m *testing.M) {
	netns.Main()
	goleak.VerifyTestMain(m)
}

func TestATestApartSeesNothingOfTheMachinesNetwork(t *testing.T) {
	outside, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	const known = "CLUSTERFLEET_TEST_OUTSIDE"
	netns.Apart(t, []string{known + "=" + outside}, func() {
		if inside, err := os.Readlink("/proc/thread-self/ns/net"); err != nil || inside == os.Getenv(known) {
			t.Errorf("in %s, %v: that is the machine's", inside, err)
		}
		links, err := net.Interfaces()
		if err != nil || len(links) == 0 || links[0].Name != "lo" || links[0].Flags&net.FlagUp == 0 {
			t.Errorf("got %v, %v", links, err)
		}
	})
}

func TestTheFarNetworkIsAllOfTheFleetAndSilenceIsSilent(t *testing.T) {
	netns.Apart(t, nil, func() {
		p := netns.NewPair(t)
		const there = "10.16.77.1:1"
		dial := func() error {
			conn, err := net.DialTimeout("tcp", there, time.Second)
			if err == nil {
				conn.Close()
			}
			return err
		}
		if err := dial(); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("where nobody listens: %v", err)
		}
		p.Silence(netns.Everything())
		if err := dial(); !os.IsTimeout(err) {
			t.Errorf("where all is silent: %v", err)
		}
		p.Heal(netns.Everything())
		p.Cut()
		if err := dial(); !errors.Is(err, syscall.ENETUNREACH) {
			t.Errorf("without a link: %v", err)
		}
		p.Mend()
		if err := dial(); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("when all is well: %v", err)
		}
	})
}

func TestTheProgramOfALauncherIsInTheFarNetwork(t *testing.T) {
	netns.Apart(t, nil, func() {
		program, err := exec.LookPath("readlink")
		if err != nil {
			t.Fatal(err)
		}
		launcher := netns.NewPair(t).Launcher()
		output, err := exec.Command(launcher[0], append(launcher[1:], program, "/proc/self/ns/net")...).CombinedOutput()
		near, failed := os.Readlink("/proc/thread-self/ns/net")
		if far := strings.TrimSpace(string(output)); err != nil || failed != nil || !strings.HasPrefix(far, "net:") || far == near {
			t.Errorf("got %q, %v; this one is %q, %v", output, err, near, failed)
		}
	})
}

func TestADialInTheFarNetworkReachesItsLoopback(t *testing.T) {
	netns.Apart(t, nil, func() {
		p := netns.NewPair(t)
		here, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer here.Close()
		if conn, err := p.DialFar(t.Context(), "tcp", here.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("got %v, %v, of the near one", conn, err)
		}
	})
}

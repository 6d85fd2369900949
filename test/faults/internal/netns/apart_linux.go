package netns

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

// inside is set in the environment of a process that Apart has started.
const inside = "CLUSTERFLEET_TEST_APART"

// needed is what a test that cannot run says.
const needed = `this test makes network namespaces: it needs Linux and the right to create user and network namespaces.
Where it is missing: sysctl user.max_user_namespaces and user.max_net_namespaces must not be 0; with AppArmor,
kernel.apparmor_restrict_unprivileged_userns must be 0, or run as root; a container needs CAP_SYS_ADMIN or a seccomp
profile that allows it (docker run --privileged)`

// lastWords is the time that a child has, before the test's own deadline, to say what hangs.
const lastWords = 5 * time.Second

// Apart runs the body of the test that calls it in a child process with a network of its own, where only loopback is up.
// It must be all that the test does. The child is the test binary, asked for this test alone, with the given variables in
// its environment; it dies with its parent.
func Apart(t *testing.T, environment []string, body func()) {
	t.Helper()
	if os.Getenv(inside) != "" {
		if err := raiseLoopback(); err != nil {
			t.Fatalf("%s: %v", needed, err)
		}
		body()
		return
	}
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-test.run=^" + t.Name() + "$", "-test.count=1", "-test.v"}
	if deadline, ok := t.Deadline(); ok {
		args = append(args, fmt.Sprint("-test.timeout=", time.Until(deadline)-lastWords))
	}
	cmd := exec.CommandContext(t.Context(), executable, args...)
	cmd.Env = append(append(os.Environ(), inside+"=1"), environment...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	runtime.LockOSThread() // whose death would be the child's
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v", needed, err)
	}
	err = cmd.Wait()
	t.Logf("apart:\n%s", &output)
	if err != nil || !strings.Contains(output.String(), "--- PASS: "+t.Name()) {
		t.Errorf("the test fails apart: %v", err)
	}
}

func raiseLoopback() error {
	loopback, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(loopback)
}

package test_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
	"github.com/clusterfleet/clusterfleet/test/internal/process"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

// Where the documents say that the aggregator is: by default, and off loopback.
const (
	documentedAddress = "127.0.0.1:7443"
	documentedRemote  = "fleet.example.com:7443"
)

// documentedCommands runs the command lines of README.md and docs/*.md as they stand there, but for addresses: ports are
// free ones, and the remote aggregator is here.
func documentedCommands(t *testing.T, fleet *realkube.Fleet) {
	kubeconfig := shopFleet(t, fleet)
	home := newHome(t, kubeconfig)
	plain := programs.Aggregator(t, kubeconfig)
	remote := programs.Aggregator(t, kubeconfig, "--tls-cert", home.file("server.crt"), "--tls-key", home.file("server.key"), "--client-ca", home.file("clients.crt"))
	seen := map[string]int{}
	for _, document := range documents(t) {
		for _, line := range commandLines(t, document) {
			program := filepath.Base(strings.Fields(line)[0])
			seen[program]++
			t.Run(filepath.Base(document)+": "+line, func(s *testing.T) {
				switch program {
				case "make":
					exits(s, process.RunCommand(s, time.Minute, home.command("make -n -C "+root(s)+strings.TrimPrefix(line, "make"))), 0, "", "")
				case "aggregator":
					// It serves until the last document is read: later lines may ask for it.
					process.StartCommand(t, home.command("exec "+onFreePorts(line))).Stderr.Await(s, "msg=serving")
				case "fleetsim":
					process.StartCommand(t, home.command("exec "+line)).Stdout.Await(s, `"kubeconfig"`)
				case "fleetctl":
					if endless(line) {
						lasting := process.StartCommand(s, home.command("exec "+asking(line, plain, remote), "FLEETCTL_SERVER="+plain.GRPC))
						lasting.Stdout.Await(s, "HEALTHY")
						interrupt(s, lasting)
						return
					}
					fallthrough
				default:
					r := process.RunCommand(s, time.Minute, home.command(asking(line, plain, remote), "FLEETCTL_SERVER="+plain.GRPC))
					exits(s, r, 0, documentedOutput(line), "")
					if strings.Contains(r.Stderr, "error:") {
						s.Errorf("got, on stderr, %s", r.Stderr)
					}
				}
			})
		}
	}
	if got, want := slices.Sorted(maps.Keys(seen)), []string{"aggregator", "fleetctl", "fleetsim", "grpcurl", "make"}; !slices.Equal(got, want) || seen["fleetctl"] < 20 {
		t.Errorf("the documents show %v", seen)
	}
}

// endless tells that a command goes on until it is interrupted.
func endless(line string) bool {
	return !strings.Contains(line, "--once") && regexp.MustCompile(`fleetctl watch|--watch`).MatchString(line)
}

// shopFleet gives the servers what the documents speak of, and returns a kubeconfig with their names.
func shopFleet(t *testing.T, fleet *realkube.Fleet) string {
	t.Helper()
	var entries []entry
	for i, server := range fleet.Servers {
		createNamespace(t, server, "shop")
		create(t, server, "/apis/apps/v1/namespaces/shop/deployments", deployment("web"))
		createMany(t, server, "/api/v1/namespaces/shop/pods", 2, pod)
		entries = append(entries, contextOf(fmt.Sprint("prod-", i+1), server).labels(map[string]string{"env": "prod"}))
	}
	return writeKubeconfig(t, entries...)
}

// home is where the documented commands run.
type home struct{ dir string }

// newHome has what a reader of the documents has: the programs in bin, a kubeconfig, certificates, the examples.
func newHome(t *testing.T, kubeconfig string) home {
	t.Helper()
	h := home{t.TempDir()}
	authority := clienttest.NewAuthority(t)
	server, serverKey := authority.Issue(t, "fleet.example.com")
	me, myKey := authority.Issue(t, "me")
	for link, target := range map[string]string{
		"bin": programs.Dir(), "docs": filepath.Join(root(t), "docs"), ".kube/config": kubeconfig,
		"server.crt": server, "server.key": serverKey, "clients.crt": authority.CAFile,
		"ca.crt": authority.CAFile, "me.crt": me, "me.key": myKey,
	} {
		if err := os.MkdirAll(filepath.Dir(h.file(link)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, h.file(link)); err != nil {
			t.Fatal(err)
		}
	}
	programs.BuildGrpcurl(t)
	return h
}

func (h home) file(name string) string { return filepath.Join(h.dir, name) }

// command returns a shell that runs the line.
func (h home) command(line string, environment ...string) *exec.Cmd {
	cmd := exec.Command("bash", "-c", "set -o pipefail; "+line)
	cmd.Dir = h.dir
	cmd.Env = append(os.Environ(), "HOME="+h.dir, "XDG_CONFIG_HOME="+h.file(".config"), "KUBECONFIG=", "PATH="+h.file("bin")+":"+os.Getenv("PATH"))
	cmd.Env = append(cmd.Env, environment...)
	return cmd
}

// onFreePorts makes a documented aggregator use ports that nobody else has.
func onFreePorts(line string) string {
	for flag, fallback := range map[string]string{"--grpc-address": "127.0.0.1:0", "--http-address": "127.0.0.1:0"} {
		given := regexp.MustCompile(flag + ` (\S+):\d+`)
		if given.MatchString(line) {
			line = given.ReplaceAllString(line, flag+" $1:0")
			continue
		}
		line += " " + flag + " " + fallback
	}
	return line
}

// asking makes a documented call reach the aggregators of the test.
func asking(line string, plain, remote *product.Aggregator) string {
	if strings.Contains(line, documentedRemote) {
		return strings.ReplaceAll(line, documentedRemote, remote.GRPC) + " --server-name fleet.example.com"
	}
	return strings.ReplaceAll(line, documentedAddress, plain.GRPC)
}

// documentedOutput is what a line must print at least.
func documentedOutput(line string) string {
	for pattern, output := range map[string]string{
		"grpcurl .* list$":            "fleet.v1.ManifestService",
		"grpcurl .*ProbeClusters":     `"state": "STATE_HEALTHY"`,
		"grpcurl .*FetchManifests":    `"name": "web"`,
		"fleetctl .*probe$":           "HEALTHY",
		"get pods -A$":                "pod-0",
		"get deploy web .*-o json":    `"clusterfleet.io/cluster":`,
		"get po .*jq .metadata.name$": `"pod-0"`,
	} {
		if regexp.MustCompile(pattern).MatchString(line) {
			return output
		}
	}
	return ""
}

// root is the directory of the repository.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func documents(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root(t), "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{filepath.Join(root(t), "README.md")}, found...)
}

// commandLines returns the lines of a document's blocks of code that call our programs, make or grpcurl, without
// comments.
func commandLines(t *testing.T, document string) []string {
	t.Helper()
	ours := regexp.MustCompile(`^(bin/)?(aggregator|fleetctl|fleetsim|grpcurl|make) `)
	comment := regexp.MustCompile(`\s+# .*$`)
	var lines []string
	for _, block := range codeBlocks(t, document, "", "sh", "bash", "console") {
		if strings.Contains(block, "─") {
			continue // a picture
		}
		block = strings.ReplaceAll(block, "\\\n", " ")
		for line := range strings.Lines(block) {
			line = strings.TrimPrefix(strings.TrimSpace(line), "$ ")
			line = strings.TrimSpace(comment.ReplaceAllString(line, ""))
			if ours.MatchString(line + " ") {
				lines = append(lines, strings.Join(strings.Fields(line), " "))
			}
		}
	}
	return lines
}

// codeBlocks returns the fenced blocks of a document that are marked with one of the languages.
func codeBlocks(t *testing.T, document string, languages ...string) []string {
	t.Helper()
	fence := regexp.MustCompile("(?ms)^ *```(\\w*)\n(.*?)^ *```$")
	var blocks []string
	for _, found := range fence.FindAllStringSubmatch(string(readFile(t, document)), -1) {
		if slices.Contains(languages, found[1]) {
			blocks = append(blocks, found[2])
		}
	}
	return blocks
}

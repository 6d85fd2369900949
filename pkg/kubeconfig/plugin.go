package kubeconfig

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"k8s.io/client-go/tools/clientcmd/api"
	v1 "k8s.io/client-go/tools/clientcmd/api/v1"
)

// DefaultCredentialPlugins returns the exec plugins that may be run unless others are named: those of the large
// providers of Kubernetes, which get a token and do nothing else of note.
func DefaultCredentialPlugins() []string {
	return []string{
		"aws",
		"aws-iam-authenticator",
		"gke-gcloud-auth-plugin",
		"kubelogin",
		"doctl",
		"oci",
		"tsh",
	}
}

// pluginRule says which credential plugins may be run.
type pluginRule struct {
	any     bool
	allowed map[string]bool // names and paths, and the paths that PATH has for the names
}

func newPluginRule(plugins []string) pluginRule {
	if plugins == nil {
		plugins = DefaultCredentialPlugins()
	}
	rule := pluginRule{any: slices.Contains(plugins, "*"), allowed: make(map[string]bool, 2*len(plugins))}
	for _, plugin := range plugins {
		rule.allowed[plugin] = true
		find := exec.LookPath // "aws" is the program of that name on this PATH, not any file of that name
		if isPath(plugin) {
			find = filepath.Abs
		}
		if path, err := find(plugin); err == nil {
			rule.allowed[path] = true
		}
	}
	return rule
}

func (r pluginRule) allows(command string) bool { return r.any || r.allowed[filepath.Clean(command)] }

// isPath tells a path from the name of a program that PATH finds.
func isPath(command string) bool { return strings.ContainsRune(command, filepath.Separator) }

// readPlugin takes the credential plugin. It never gets standard input: a server answers no prompt.
func (k *merged) readPlugin(e *named[v1.AuthInfo], c *identity) *Problem {
	if e.value.Exec == nil {
		return nil
	}
	stated := *e.value.Exec
	v1.SetDefaults_ExecConfig(&stated)
	if stated.Command == "" || strings.HasSuffix(stated.Command, "/") {
		return e.bad("name the program under exec", "its credential plugin has no command")
	}
	var plugin api.ExecConfig
	if v1.Convert_v1_ExecConfig_To_api_ExecConfig(&stated, &plugin, nil) != nil {
		return e.bad("correct exec", "its credential plugin cannot be understood")
	}
	if isPath(plugin.Command) {
		plugin.Command = e.path(plugin.Command)
	}
	if !k.plugins.allows(plugin.Command) {
		return e.notAllowed(plugin.Command)
	}
	if what, fix := pluginFlaw(&plugin); what != "" {
		return e.bad(fix, "its credential plugin %s", what)
	}
	plugin.InstallHint = withoutEscapes(plugin.InstallHint)
	plugin.InteractiveMode = api.NeverExecInteractiveMode
	plugin.StdinUnavailable = true
	plugin.StdinUnavailableMessage = "a server has no terminal"
	c.plugin = &plugin
	return nil
}

// notAllowed says how to allow a plugin. A command with spaces is not shown: its arguments, which may hold a credential,
// may have got into it.
func (e *entry) notAllowed(command string) *Problem {
	if strings.ContainsFunc(command, unicode.IsSpace) {
		return e.bad("put arguments under args; if it is a path, start the aggregator with --credential-plugin and the path",
			"the command of its credential plugin holds spaces and is not allowed")
	}
	return e.bad("start the aggregator with --credential-plugin "+command, "credential plugin %s is not allowed", quoted(command))
}

// pluginFlaw says why client-go would not run a plugin, and how to mend it.
func pluginFlaw(plugin *api.ExecConfig) (what, fix string) {
	switch plugin.APIVersion {
	case "client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1":
	case "":
		return "has no apiVersion", "add client.authentication.k8s.io/v1 or v1beta1, whichever it speaks"
	default:
		return "has an apiVersion that is not supported", "write the kubeconfig anew with a current release of the program that made it"
	}
	switch plugin.InteractiveMode {
	case api.NeverExecInteractiveMode, api.IfAvailableExecInteractiveMode:
	case "":
		return "has no interactiveMode", "add interactiveMode: Never"
	case api.AlwaysExecInteractiveMode:
		return "wants a terminal, and a server has none", "use a way to authenticate that asks nothing, then set interactiveMode: Never"
	default:
		return "has an interactiveMode that is not valid", "set interactiveMode: Never"
	}
	for _, env := range plugin.Env {
		if env.Name == "" {
			return "has a variable without a name under env", "name it"
		}
	}
	return "", ""
}

// withoutEscapes returns a text with control characters but white space as their code points, as clientcmd does it.
func withoutEscapes(s string) string {
	var b strings.Builder
	for _, r := range s {
		if '\t' <= r && r <= '\r' || unicode.IsGraphic(r) || unicode.Is(unicode.Z, r) {
			b.WriteRune(r)
			continue
		}
		fmt.Fprintf(&b, "%U", r)
	}
	return b.String()
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"sigs.k8s.io/yaml"
)

// defaultConfigHelp names the default configuration file where the user's folder is not known.
const defaultConfigHelp = "clusterfleet/fleetctl.yaml in the user's configuration folder"

// serverVariable is the environment's variable for the aggregator's address.
const serverVariable = "FLEETCTL_SERVER"

// connectionFlags are the flags that the configuration file may set.
func connectionFlags() []string {
	return append(securityFlags(), "server", "timeout")
}

// settle fills the flags that the command line leaves open from the environment and the configuration file.
func (c *connection) settle(flags *pflag.FlagSet) error {
	if server := os.Getenv(serverVariable); server != "" && !flags.Changed("server") {
		if err := flags.Set("server", server); err != nil {
			return err
		}
		c.from = map[string]string{"server": serverVariable}
	}
	values, err := readConfig(c.file(), flags.Changed("config"))
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(connectionFlags(), key) {
			return fmt.Errorf("%s: unknown key %q%s", c.file(), key, didYouMean(similar(key, connectionFlags()), ""))
		}
		if flags.Changed(key) {
			continue
		}
		text, err := scalar(values[key])
		if err != nil {
			return fmt.Errorf("%s: %s: %w", c.file(), key, err)
		}
		if slices.Contains([]string{"ca-file", "tls-cert", "tls-key"}, key) && text != "" && !filepath.IsAbs(text) {
			text = filepath.Join(filepath.Dir(c.file()), text)
		}
		if err := flags.Set(key, text); err != nil {
			return fmt.Errorf("%s: %s: %w", c.file(), key, withoutFlag(err, text))
		}
		if c.from == nil {
			c.from = map[string]string{}
		}
		c.from[key] = c.file()
	}
	return nil
}

// withoutFlag is an error of pflag about a value that no flag was given.
func withoutFlag(err error, value string) error {
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return fmt.Errorf("invalid value %q: %w", value, invalid.Unwrap())
	}
	return err
}

// source is what to mend where a setting is wrong: the flag, or the file in which it stands.
func (c *connection) source(key string) string {
	switch from := c.from[key]; from {
	case "":
		return "--" + key
	case serverVariable:
		return from
	default:
		return from + ": " + key
	}
}

// whence says which of these settings are from elsewhere than the command line; empty where none is.
func (c *connection) whence(keys []string) string {
	var said []string
	for _, key := range keys {
		if from := c.from[key]; from != "" {
			said = append(said, key+" is set by "+from)
		}
	}
	if len(said) == 0 {
		return ""
	}
	return " (" + strings.Join(said, ", ") + ")"
}

// file is the path of the configuration file; empty where the system names no folder for it.
func (c *connection) file() string {
	if c.config != "" {
		return c.config
	}
	folder, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(folder, "clusterfleet", "fleetctl.yaml")
}

// readConfig reads the file, which may be missing unless it was asked for.
func readConfig(file string, asked bool) (map[string]any, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && !asked {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	var values map[string]any
	if err := yaml.UnmarshalStrict(text, &values); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return values, nil
}

func scalar(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case bool, float64:
		return fmt.Sprint(v), nil
	}
	return "", errors.New("its value must be a text, a number or true or false")
}

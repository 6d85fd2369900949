package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"time"
)

const synopsis = `Usage: apiserver [flags]   start real API servers and run until standard input closes
       apiserver build     build kube-apiserver and etcd if need be and print their directory

`

// options are the flags of the serving program.
type options struct {
	count          int
	dir            string
	kubeconfig     string
	apiServerFlags []string
	readyTimeout   time.Duration
}

// usageError is a mistake in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// parse reads the flags. For --help it prints to stdout and returns flag.ErrHelp.
func parse(args []string, stdout io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("apiserver", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.IntVar(&o.count, "count", 1, "how many servers to start")
	flags.StringVar(&o.dir, "dir", "", "where their `directory`s are made, absolute (default: a temporary one)")
	flags.StringVar(&o.kubeconfig, "kubeconfig-out", "",
		"the `file`, absolute and new, for a kubeconfig with a context a server (default: kubeconfig in --dir)")
	flags.Func("apiserver-flag", "a `flag` for each kube-apiserver, like --v=2; may be repeated", func(value string) error {
		o.apiServerFlags = append(o.apiServerFlags, value)
		return nil
	})
	flags.DurationVar(&o.readyTimeout, "ready-timeout", 2*time.Minute, "how long all servers together may take to be ready")

	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, synopsis)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return options{}, err
	}
	if err != nil {
		return options{}, usageError{err}
	}
	if err := o.validate(flags.Args()); err != nil {
		return options{}, usageError{err}
	}
	return o, nil
}

func (o options) validate(arguments []string) error {
	if len(arguments) > 0 {
		return fmt.Errorf("unexpected arguments: %q", arguments)
	}
	if o.count < 1 {
		return fmt.Errorf("--count must be at least 1: %d", o.count)
	}
	if o.readyTimeout <= 0 {
		return fmt.Errorf("--ready-timeout must be positive: %v", o.readyTimeout)
	}
	// "go run -C" starts the program in the module's directory, where nobody means a relative path to be.
	if o.dir != "" && !filepath.IsAbs(o.dir) {
		return fmt.Errorf("--dir must be absolute: %q", o.dir)
	}
	if o.kubeconfig != "" && !filepath.IsAbs(o.kubeconfig) {
		return fmt.Errorf("--kubeconfig-out must be absolute: %q", o.kubeconfig)
	}
	return nil
}

package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError means that the command line, the environment or the configuration file is wrong.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }

func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// noCommand refuses the arguments of the root command: they are commands that do not exist.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	alike := cmd.SuggestionsFor(args[0])
	if len(alike) == 0 {
		return usagef("unknown command %q: %s --help shows which there are", args[0], cmd.CommandPath())
	}
	return usagef("unknown command %q%s", args[0], didYouMean(alike, ""))
}

// helpTopic refuses the arguments of help that name no command.
func helpTopic(cmd *cobra.Command, args []string) error {
	topic, rest, err := cmd.Root().Find(args)
	if err != nil {
		return usageError{err}
	}
	return noCommand(topic, rest)
}

// flagError makes an error of the flags a usage error, with what may have been meant.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || unknown.GetSpecifiedShortnames() != "" {
		return usageError{err}
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return usagef("%w%s", err, didYouMean(similar(unknown.GetSpecifiedName(), names), "--"))
}

// argumentsAreUsage makes the arguments that a command does not accept usage errors.
func argumentsAreUsage(cmd *cobra.Command) {
	if accept := cmd.Args; accept != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := accept(cmd, args); err != nil {
				return usageError{err}
			}
			return nil
		}
	}
	for _, child := range cmd.Commands() {
		argumentsAreUsage(child)
	}
}

// similar returns the names that a mistyped one is close to: of a short one one letter is wrong, not two. cobra knows which
// commands are: names are given as such.
func similar(name string, names []string) []string {
	commands := &cobra.Command{SuggestionsMinimumDistance: min(2, len(name)/2)}
	for _, n := range names {
		commands.AddCommand(&cobra.Command{Use: n, Run: func(*cobra.Command, []string) {}})
	}
	return commands.SuggestionsFor(name)
}

func didYouMean(names []string, prefix string) string {
	if len(names) == 0 {
		return ""
	}
	return "; did you mean " + prefix + strings.Join(names, " or "+prefix) + "?"
}

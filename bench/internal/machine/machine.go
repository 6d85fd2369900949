// Package machine says on what a benchmark ran: figures without their machine tell nothing. It needs Linux's /proc; what
// cannot be read there is left out.
package machine

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Machine is what a reader has to know of a machine to believe its figures.
type Machine struct {
	// CPU is the model of the processor, as the system calls it.
	CPU string `json:"cpu"`
	// Cores is how many of them this process may use.
	Cores int `json:"cores"`
	// MemoryBytes is the memory of the machine.
	MemoryBytes int64 `json:"memoryBytes"`
	// Kernel is the release of Linux, Go the version that built this process.
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
	// Load is the load average of the last minute: other work makes figures worse.
	Load float64 `json:"load"`
}

// This describes the machine that this process runs on, now.
func This() Machine {
	return Machine{
		CPU:         field(read("/proc/cpuinfo"), "model name"),
		Cores:       runtime.GOMAXPROCS(0),
		MemoryBytes: kib(field(read("/proc/meminfo"), "MemTotal")),
		Kernel:      read("/proc/sys/kernel/osrelease"),
		Go:          runtime.Version(),
		Load:        number(firstWord(read("/proc/loadavg"))),
	}
}

// Busy reports whether more than one program a core wanted to run: figures of time are not to be trusted then.
func (m Machine) Busy() bool { return m.Load > float64(m.Cores) }

// String is the machine in one sentence without its end.
func (m Machine) String() string {
	return fmt.Sprintf("%d cores of %s with %.0f GB, Linux %s, %s; load average %.2f when the run began",
		m.Cores, m.CPU, float64(m.MemoryBytes)/1e9, m.Kernel, m.Go, m.Load)
}

func read(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// field returns the first value of that name in lines of "name : value".
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func kib(value string) int64 { return int64(number(firstWord(value))) << 10 }

func firstWord(text string) string {
	word, _, _ := strings.Cut(text, " ")
	return word
}

// number is 0 for what is none: it was not there to be read.
func number(text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return n
}

package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of processor times in /proc: USER_HZ, which is 100 on every architecture that Go runs on.
const tick = 10 * time.Millisecond

// OwnCPU returns the processor time of this process so far, user and system.
func OwnCPU() (time.Duration, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, fmt.Errorf("getrusage: %w", err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}

// CPU returns the processor time of a process so far, user and system, in steps of 10 ms. It needs Linux's /proc.
func CPU(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(file(pid, "stat"))
	if err != nil {
		return 0, err
	}
	return cpuOf(stat)
}

// cpuOf reads /proc/PID/stat: utime and stime are its fields 14 and 15. The name, field 2, may hold anything.
func cpuOf(stat []byte) (time.Duration, error) {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/PID/stat is not understood: %q", stat)
	}
	user, err := strconv.Atoi(string(fields[11]))
	system, systemErr := strconv.Atoi(string(fields[12]))
	return time.Duration(user+system) * tick, errors.Join(err, systemErr)
}

// PeakRSS returns the most memory that a process ever had resident, in bytes. It needs Linux's /proc.
func PeakRSS(pid int) (int64, error) { return memory(pid, "VmHWM:") }

// RSS returns the memory that a process has resident now, in bytes. It needs Linux's /proc.
func RSS(pid int) (int64, error) { return memory(pid, "VmRSS:") }

func memory(pid int, name string) (int64, error) {
	status, err := os.ReadFile(file(pid, "status"))
	if err != nil {
		return 0, err
	}
	return memoryOf(string(status), name)
}

func memoryOf(status, name string) (int64, error) {
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, name); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/PID/status has no %s", name)
}

// OpenFiles returns how many file descriptors a process has open. It needs Linux's /proc.
func OpenFiles(pid int) (int, error) {
	entries, err := os.ReadDir(file(pid, "fd"))
	return len(entries), err
}

func file(pid int, name string) string { return "/proc/" + strconv.Itoa(pid) + "/" + name }

package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// listening is a socket's state in /proc/net/tcp.
const listening = "0A"

// Connections returns how many TCP connections a process has, in any state; what listens is none. It needs Linux's /proc.
func Connections(pid int) (int, error) {
	sockets, err := sockets(pid)
	if err != nil {
		return 0, err
	}
	count := 0
	for _, table := range []string{"net/tcp", "net/tcp6"} {
		text, err := os.ReadFile(file(pid, table))
		if err != nil {
			return 0, err
		}
		for _, inode := range connected(string(text)) {
			if sockets[inode] {
				count++
			}
		}
	}
	return count, nil
}

// sockets returns the inodes of a process's sockets.
func sockets(pid int) (map[string]bool, error) {
	folder := file(pid, "fd")
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	inodes := make(map[string]bool)
	for _, entry := range entries {
		target, err := os.Readlink(filepath.Join(folder, entry.Name()))
		if err != nil {
			continue // it was closed meanwhile
		}
		var inode string
		if _, err := fmt.Sscanf(target, "socket:[%s", &inode); err == nil {
			inodes[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return inodes, nil
}

// connected returns the inodes of what does not listen in a table such as /proc/net/tcp: fields 4 and 10 of each line but
// the first are the state and the inode.
func connected(table string) (inodes []string) {
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) < 10 || fields[0] == "sl" || fields[3] == listening {
			continue
		}
		inodes = append(inodes, fields[9])
	}
	return inodes
}

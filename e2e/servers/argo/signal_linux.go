// Package osspecific is the executor's view of processes; this is its half for Linux.
package osspecific

import (
	"errors"
	"os"
	"syscall"

	exits "github.com/argoproj/argo-workflows/v4/util/errors"
)

// Term is the signal that asks a process to end.
var Term = syscall.SIGTERM

// CanIgnoreSignal reports whether a signal is about the executor itself and not to be passed on.
func CanIgnoreSignal(received os.Signal) bool {
	switch received {
	case syscall.SIGCHLD, syscall.SIGURG: // children are waited for; the Go runtime preempts by the other
		return true
	}
	return false
}

// Setpgid makes the process the leader of a group.
func Setpgid(attributes *syscall.SysProcAttr) {
	attributes.Setpgid = true
}

// Kill signals the group that the process is in, if it can be found, else the process.
func Kill(pid int, signal syscall.Signal) error {
	target := pid
	if group, err := syscall.Getpgid(pid); err == nil {
		target = -group
	}
	return syscall.Kill(target, signal)
}

// Wait returns the end of the process as an error that carries its exit code, and reaps all other children meanwhile:
// in a container the executor is process 1, and orphans become its children.
func Wait(process *os.Process) error {
	main := process.Pid
	if err := process.Release(); err != nil {
		return err
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		if pid == main && status.Exited() {
			return exits.NewExitErr(status.ExitStatus())
		}
		if pid == main && status.Signaled() {
			return exits.NewExitErr(128 + int(status.Signal()))
		}
	}
}

// SPDX-License-Identifier: Apache-2.0

// Six programs in one:
//
//	fidelity cases ENDPOINT            stock clientv3 against one server, one line per case
//	fidelity differ REAL FAKE SEED...  the same random script against two, no reply may differ
//	fidelity auth REAL FAKE SEED...    the same, about users, roles, permissions and tokens
//	fidelity locks REAL FAKE SEED...   the same, about the lock and election services
//	fidelity kept REAL FAKE SEED...    what both know after either script and a restart
//	fidelity wire REAL FAKE [WORD]     bytes that no client sends to two; one line per case whose
//	                                   name has WORD
//
// Exit status: 0 all passed, 1 something differs or failed, 2 wrong usage, 4 no server.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

const (
	exitFailed = 1
	exitUsage  = 2
	exitBroken = 4
)

func main() {
	arguments := os.Args[1:]
	switch {
	case len(arguments) == 2 && arguments[0] == "cases":
		os.Exit(runCases(arguments[1]))
	case len(arguments) >= 4 && arguments[0] == "differ":
		os.Exit(differ(arguments[1], arguments[2], arguments[3:], runSeed))
	case len(arguments) >= 4 && arguments[0] == "auth":
		os.Exit(differ(arguments[1], arguments[2], arguments[3:], runAuthSeed))
	case len(arguments) >= 4 && arguments[0] == "locks":
		os.Exit(differ(arguments[1], arguments[2], arguments[3:], runLockSeed))
	case len(arguments) >= 4 && arguments[0] == "kept":
		os.Exit(differ(arguments[1], arguments[2], arguments[3:], runKept))
	case len(arguments) >= 3 && len(arguments) <= 4 && arguments[0] == "wire":
		os.Exit(runWire(arguments[1], arguments[2], strings.Join(arguments[3:], "")))
	}
	fmt.Fprintln(os.Stderr, "usage: fidelity cases ENDPOINT | fidelity differ|auth|locks|kept REAL FAKE SEED... | fidelity wire REAL FAKE [WORD]")
	os.Exit(exitUsage)
}

func differ(real, fake string, seeds []string, run func(real, fake string, seed int64) int) int {
	verdict := 0
	for _, text := range seeds {
		seed, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			fmt.Fprintf(os.Stderr, "not a seed: %q\n", text)
			return exitUsage
		}
		if status := run(real, fake, seed); status > verdict {
			verdict = status
		}
	}
	return verdict
}

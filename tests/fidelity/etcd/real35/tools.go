// SPDX-License-Identifier: Apache-2.0

//go:build tools

// Package real35 names the programs that are built from here: the real etcd 3.5 and its etcdctl,
// which Debian does not package.
package real35

import (
	_ "go.etcd.io/etcd/etcdctl/v3"
	_ "go.etcd.io/etcd/server/v3"
)

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"go.uber.org/zap"
)

const caseTimeout = 20 * time.Second

type world struct {
	ctx    context.Context
	client *clientv3.Client
	prefix string
}

type testCase struct {
	name string
	run  func(w *world) error
}

// What users of clientv3 lean on, each against the unmodified library.
var allCases = []testCase{
	{"put then get", putThenGet},
	{"get with prefix, sort and limit", getSorted},
	{"get at an old revision", getOld},
	{"get from a compacted revision fails with ErrCompacted", getCompacted},
	{"delete with previous values", deletePrevious},
	{"txn compares and branches", txnBranches},
	{"a duplicate key in a txn is refused", txnDuplicate},
	{"put on an unknown lease fails with ErrLeaseNotFound", putUnknownLease},
	{"lease grant, keep alive, time to live, revoke", leaseLife},
	{"keep alive of a dead lease closes the channel", keepAliveDead},
	{"watch replays history and goes on", watchReplay},
	{"watch behind a compaction ends with ErrCompacted", watchCompacted},
	{"two watches on one stream each get their own", watchTwo},
	{"watch with progress on request", watchProgress},
	{"a revoked lease is one watch response", watchRevoke},
	{"lock of concurrency excludes", lockExcludes},
	{"election of concurrency hands over", electionHandsOver},
	{"stm retries a conflict", stmConflict},
	{"member list has a client address that can be reached", memberReachable},
	{"status knows version and leader", statusKnows},
	{"alarms can be listed", alarmList},
	{"snapshot streams", snapshotStreams},
	{"sync of endpoints works", syncEndpoints},
	{"large values travel", largeValues},
	{"a request that is too large is refused", requestTooLarge},
	{"auth: users, roles and permissions", authPermissions},
}

func runCases(endpoint string) int {
	verdict := 0
	for _, one := range allCases {
		started := time.Now()
		err := runCase(one, endpoint)
		if err != nil {
			verdict = exitFailed
			fmt.Printf("FAIL clientv3: %s: %v\n", one.name, err)
			continue
		}
		fmt.Printf("ok   clientv3: %s (%.1f s)\n", one.name, time.Since(started).Seconds())
	}
	return verdict
}

func runCase(one testCase, endpoint string) error {
	client, err := clientv3.New(clientv3.Config{Logger: zap.NewNop(), Endpoints: []string{endpoint}, DialTimeout: 5 * time.Second})
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), caseTimeout)
	defer cancel()
	w := &world{ctx: ctx, client: client, prefix: fmt.Sprintf("cases/%s/", one.name)}
	return one.run(w)
}

func want(ok bool, format string, values ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, values...)
}

func (w *world) put(key, value string, options ...clientv3.OpOption) (int64, error) {
	reply, err := w.client.Put(w.ctx, w.prefix+key, value, options...)
	if err != nil {
		return 0, err
	}
	return reply.Header.Revision, nil
}

func putThenGet(w *world) error {
	at, err := w.put("a", "1")
	if err != nil {
		return err
	}
	reply, err := w.client.Get(w.ctx, w.prefix+"a")
	if err != nil {
		return err
	}
	return want(len(reply.Kvs) == 1 && string(reply.Kvs[0].Value) == "1" && reply.Kvs[0].ModRevision == at, "got %v", reply)
}

func getSorted(w *world) error {
	for _, key := range []string{"b", "c", "a"} {
		if _, err := w.put(key, key+key); err != nil {
			return err
		}
	}
	reply, err := w.client.Get(w.ctx, w.prefix, clientv3.WithPrefix(), clientv3.WithLimit(2),
		clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortDescend))
	if err != nil {
		return err
	}
	return want(reply.Count == 3 && reply.More && len(reply.Kvs) == 2 && string(reply.Kvs[0].Value) == "aa" &&
		string(reply.Kvs[1].Value) == "cc", "got %v", reply)
}

func getOld(w *world) error {
	old, err := w.put("a", "old")
	if err != nil {
		return err
	}
	if _, err = w.put("a", "new"); err != nil {
		return err
	}
	reply, err := w.client.Get(w.ctx, w.prefix+"a", clientv3.WithRev(old))
	if err != nil {
		return err
	}
	return want(string(reply.Kvs[0].Value) == "old" && reply.Header.Revision > old, "got %v", reply)
}

func getCompacted(w *world) error {
	old, err := w.put("a", "1")
	if err != nil {
		return err
	}
	now, err := w.put("a", "2")
	if err != nil {
		return err
	}
	if _, err = w.client.Compact(w.ctx, now, clientv3.WithCompactPhysical()); err != nil {
		return err
	}
	_, err = w.client.Get(w.ctx, w.prefix+"a", clientv3.WithRev(old))
	if !errors.Is(err, rpctypes.ErrCompacted) {
		return fmt.Errorf("got %v", err)
	}
	_, err = w.client.Get(w.ctx, w.prefix+"a", clientv3.WithRev(now+1000))
	return want(errors.Is(err, rpctypes.ErrFutureRev), "got %v", err)
}

func deletePrevious(w *world) error {
	for _, key := range []string{"a", "b"} {
		if _, err := w.put(key, key); err != nil {
			return err
		}
	}
	reply, err := w.client.Delete(w.ctx, w.prefix, clientv3.WithPrefix(), clientv3.WithPrevKV())
	if err != nil {
		return err
	}
	return want(reply.Deleted == 2 && string(reply.PrevKvs[1].Value) == "b", "got %v", reply)
}

func txnBranches(w *world) error {
	key := w.prefix + "a"
	reply, err := w.client.Txn(w.ctx).If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
		Then(clientv3.OpPut(key, "1"), clientv3.OpGet(key)).Else(clientv3.OpGet(key)).Commit()
	if err != nil {
		return err
	}
	if !reply.Succeeded || string(reply.Responses[1].GetResponseRange().Kvs[0].Value) != "1" {
		return fmt.Errorf("first: %v", reply)
	}
	reply, err = w.client.Txn(w.ctx).If(clientv3.Compare(clientv3.Value(key), "!=", "1")).
		Then(clientv3.OpPut(key, "2")).
		Else(clientv3.OpTxn(nil, []clientv3.Op{clientv3.OpDelete(key)}, nil)).Commit()
	if err != nil {
		return err
	}
	deleted := reply.Responses[0].GetResponseTxn().Responses[0].GetResponseDeleteRange().Deleted
	return want(!reply.Succeeded && deleted == 1, "second: %v", reply)
}

func txnDuplicate(w *world) error {
	key := w.prefix + "a"
	_, err := w.client.Txn(w.ctx).Then(clientv3.OpPut(key, "1"), clientv3.OpPut(key, "2")).Commit()
	return want(errors.Is(err, rpctypes.ErrDuplicateKey), "got %v", err)
}

func putUnknownLease(w *world) error {
	_, err := w.put("a", "1", clientv3.WithLease(4711))
	return want(errors.Is(err, rpctypes.ErrLeaseNotFound), "got %v", err)
}

func leaseLife(w *world) error {
	lease, err := w.client.Grant(w.ctx, 60)
	if err != nil {
		return err
	}
	if _, err = w.put("a", "1", clientv3.WithLease(lease.ID)); err != nil {
		return err
	}
	once, err := w.client.KeepAliveOnce(w.ctx, lease.ID)
	if err != nil || once.TTL != 60 {
		return fmt.Errorf("keep alive: %v %v", once, err)
	}
	left, err := w.client.TimeToLive(w.ctx, lease.ID, clientv3.WithAttachedKeys())
	if err != nil || left.GrantedTTL != 60 || len(left.Keys) != 1 {
		return fmt.Errorf("time to live: %v %v", left, err)
	}
	if _, err = w.client.Revoke(w.ctx, lease.ID); err != nil {
		return err
	}
	reply, err := w.client.Get(w.ctx, w.prefix+"a")
	if err != nil || reply.Count != 0 {
		return fmt.Errorf("the key outlived its lease: %v %v", reply, err)
	}
	left, err = w.client.TimeToLive(w.ctx, lease.ID)
	return want(err == nil && left.TTL == -1, "time to live of a dead lease: %v %v", left, err)
}

func keepAliveDead(w *world) error {
	lease, err := w.client.Grant(w.ctx, 60)
	if err != nil {
		return err
	}
	alive, err := w.client.KeepAlive(w.ctx, lease.ID)
	if err != nil {
		return err
	}
	<-alive
	if _, err = w.client.Revoke(w.ctx, lease.ID); err != nil {
		return err
	}
	_, err = w.client.KeepAliveOnce(w.ctx, lease.ID)
	return want(errors.Is(err, rpctypes.ErrLeaseNotFound), "got %v", err)
}

func watchReplay(w *world) error {
	first, err := w.put("a", "1")
	if err != nil {
		return err
	}
	if _, err = w.put("a", "2"); err != nil {
		return err
	}
	events := w.client.Watch(w.ctx, w.prefix, clientv3.WithPrefix(), clientv3.WithRev(first), clientv3.WithPrevKV())
	seen := ""
	for reply := range events {
		for _, event := range reply.Events {
			seen += event.Type.String()[:1] + string(event.Kv.Value)
			if event.PrevKv != nil {
				seen += "(" + string(event.PrevKv.Value) + ")"
			}
		}
		switch seen {
		case "P1P2(1)":
			if _, err = w.client.Delete(w.ctx, w.prefix+"a"); err != nil {
				return err
			}
		case "P1P2(1)D(2)":
			return nil
		}
	}
	return fmt.Errorf("saw %s", seen)
}

func watchCompacted(w *world) error {
	old, err := w.put("a", "1")
	if err != nil {
		return err
	}
	now, err := w.put("a", "2")
	if err != nil {
		return err
	}
	if _, err = w.client.Compact(w.ctx, now); err != nil {
		return err
	}
	reply := <-w.client.Watch(w.ctx, w.prefix+"a", clientv3.WithRev(old))
	return want(reply.CompactRevision == now && errors.Is(reply.Err(), rpctypes.ErrCompacted), "got %v, %v", reply, reply.Err())
}

func watchTwo(w *world) error {
	left, right := w.client.Watch(w.ctx, w.prefix+"l"), w.client.Watch(w.ctx, w.prefix+"r")
	if _, err := w.put("r", "1"); err != nil {
		return err
	}
	if _, err := w.put("l", "2"); err != nil {
		return err
	}
	a, b := <-left, <-right
	return want(string(a.Events[0].Kv.Value) == "2" && string(b.Events[0].Kv.Value) == "1", "got %v and %v", a, b)
}

func watchProgress(w *world) error {
	events := w.client.Watch(w.ctx, w.prefix+"a")
	at, err := w.put("other", "1")
	if err != nil {
		return err
	}
	for try := 0; try < 10; try++ {
		if err = w.client.RequestProgress(w.ctx); err != nil {
			return err
		}
		select {
		case reply := <-events:
			return want(reply.IsProgressNotify() && reply.Header.Revision >= at, "got %v", reply)
		case <-time.After(500 * time.Millisecond):
		}
	}
	return errors.New("no progress was reported")
}

func watchRevoke(w *world) error {
	lease, err := w.client.Grant(w.ctx, 60)
	if err != nil {
		return err
	}
	for _, key := range []string{"b", "a", "c"} {
		if _, err = w.put(key, key, clientv3.WithLease(lease.ID)); err != nil {
			return err
		}
	}
	events := w.client.Watch(clientv3.WithRequireLeader(w.ctx), w.prefix, clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	<-events
	if _, err = w.client.Revoke(w.ctx, lease.ID); err != nil {
		return err
	}
	reply := <-events
	if len(reply.Events) != 3 {
		return fmt.Errorf("got %v", reply)
	}
	for i, key := range []string{"a", "b", "c"} {
		event := reply.Events[i]
		if string(event.Kv.Key) != w.prefix+key || event.Kv.ModRevision != reply.Events[0].Kv.ModRevision {
			return fmt.Errorf("event %d is %v", i, event)
		}
	}
	return nil
}

func lockExcludes(w *world) error {
	one, err := concurrency.NewSession(w.client, concurrency.WithTTL(10))
	if err != nil {
		return err
	}
	defer one.Close()
	two, err := concurrency.NewSession(w.client, concurrency.WithTTL(10))
	if err != nil {
		return err
	}
	defer two.Close()
	first, second := concurrency.NewMutex(one, w.prefix+"lock"), concurrency.NewMutex(two, w.prefix+"lock")
	if err = first.Lock(w.ctx); err != nil {
		return err
	}
	if err = second.TryLock(w.ctx); !errors.Is(err, concurrency.ErrLocked) {
		return fmt.Errorf("the second got it: %v", err)
	}
	got := make(chan error, 1)
	go func() { got <- second.Lock(w.ctx) }()
	if err = first.Unlock(w.ctx); err != nil {
		return err
	}
	if err = <-got; err != nil {
		return err
	}
	return second.Unlock(w.ctx)
}

func electionHandsOver(w *world) error {
	one, err := concurrency.NewSession(w.client, concurrency.WithTTL(10))
	if err != nil {
		return err
	}
	two, err := concurrency.NewSession(w.client, concurrency.WithTTL(10))
	if err != nil {
		return err
	}
	defer two.Close()
	first, second := concurrency.NewElection(one, w.prefix+"e"), concurrency.NewElection(two, w.prefix+"e")
	if err = first.Campaign(w.ctx, "one"); err != nil {
		return err
	}
	won := make(chan error, 1)
	go func() { won <- second.Campaign(w.ctx, "two") }()
	leader, err := second.Leader(w.ctx)
	if err != nil || string(leader.Kvs[0].Value) != "one" {
		return fmt.Errorf("leader: %v %v", leader, err)
	}
	if err = one.Close(); err != nil {
		return err
	}
	if err = <-won; err != nil {
		return err
	}
	leader, err = second.Leader(w.ctx)
	return want(err == nil && string(leader.Kvs[0].Value) == "two", "leader: %v %v", leader, err)
}

func stmConflict(w *world) error {
	key := w.prefix + "n"
	tries := 0
	_, err := concurrency.NewSTM(w.client, func(stm concurrency.STM) error {
		value := stm.Get(key)
		if tries++; tries == 1 {
			if _, err := w.client.Put(w.ctx, key, "x"); err != nil {
				return err
			}
		}
		stm.Put(key, value+"y")
		return nil
	}, concurrency.WithAbortContext(w.ctx))
	if err != nil {
		return err
	}
	reply, err := w.client.Get(w.ctx, key)
	return want(err == nil && tries == 2 && string(reply.Kvs[0].Value) == "xy", "%d tries, %v, %v", tries, reply, err)
}

func memberReachable(w *world) error {
	members, err := w.client.MemberList(w.ctx)
	if err != nil {
		return err
	}
	if len(members.Members) != 1 || len(members.Members[0].ClientURLs) == 0 {
		return fmt.Errorf("got %v", members)
	}
	_, err = w.client.Status(w.ctx, members.Members[0].ClientURLs[0])
	return err
}

func statusKnows(w *world) error {
	status, err := w.client.Status(w.ctx, w.client.Endpoints()[0])
	if err != nil {
		return err
	}
	return want(len(status.Version) >= 5 && status.Version[0] == '3' && status.Leader == status.Header.MemberId &&
		status.RaftTerm >= 2 && status.RaftIndex > 0 && status.DbSize > 0, "got %v", status)
}

func alarmList(w *world) error {
	alarms, err := w.client.AlarmList(w.ctx)
	return want(err == nil && len(alarms.Alarms) == 0, "got %v %v", alarms, err)
}

func snapshotStreams(w *world) error {
	reader, err := w.client.Snapshot(w.ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	first := make([]byte, 1)
	n, err := reader.Read(first)
	return want(n == 1 && err == nil, "%d bytes, %v", n, err)
}

func syncEndpoints(w *world) error {
	if err := w.client.Sync(w.ctx); err != nil {
		return err
	}
	_, err := w.client.Get(w.ctx, "a")
	return err
}

func largeValues(w *world) error {
	value := string(make([]byte, 1200*1024))
	if _, err := w.put("a", value); err != nil {
		return err
	}
	reply, err := w.client.Get(w.ctx, w.prefix+"a")
	return want(err == nil && len(reply.Kvs[0].Value) == len(value), "got %v", err)
}

func requestTooLarge(w *world) error {
	_, err := w.put("a", string(make([]byte, 1600*1024)))
	return want(errors.Is(err, rpctypes.ErrRequestTooLarge), "got %v", err)
}

// Leaves auth disabled again, and no user or role.
func authPermissions(w *world) error {
	c := w.client
	steps := []func() error{
		func() error { _, err := c.UserAdd(w.ctx, "root", "secret"); return err },
		func() error { _, err := c.UserGrantRole(w.ctx, "root", "root"); return err },
		func() error { _, err := c.RoleAdd(w.ctx, "reader"); return err },
		func() error {
			_, err := c.RoleGrantPermission(w.ctx, "reader", w.prefix, clientv3.GetPrefixRangeEnd(w.prefix),
				clientv3.PermissionType(clientv3.PermRead))
			return err
		},
		func() error { _, err := c.UserAdd(w.ctx, "eve", "pass"); return err },
		func() error { _, err := c.UserGrantRole(w.ctx, "eve", "reader"); return err },
		func() error { _, err := c.AuthEnable(w.ctx); return err },
	}
	for i, step := range steps {
		if err := step(); err != nil {
			if i == 1 { // the role root must be made first on some versions
				if _, err = c.RoleAdd(w.ctx, "root"); err == nil {
					err = step()
				}
			}
			if err != nil {
				return fmt.Errorf("step %d: %w", i, err)
			}
		}
	}
	found := checkPermissions(w)
	root, err := clientv3.New(clientv3.Config{Logger: zap.NewNop(), Endpoints: c.Endpoints(), Username: "root", Password: "secret", DialTimeout: 5 * time.Second})
	if err != nil {
		return err
	}
	defer root.Close()
	if _, err = root.AuthDisable(w.ctx); err != nil {
		return err
	}
	for _, user := range []string{"root", "eve"} {
		if _, err = c.UserDelete(w.ctx, user); err != nil {
			return err
		}
	}
	if _, err = c.RoleDelete(w.ctx, "reader"); err != nil {
		return err
	}
	_, _ = c.RoleDelete(w.ctx, "root") // granting it needs no role of that name on some versions
	return found
}

func checkPermissions(w *world) error {
	if _, err := w.client.Get(w.ctx, w.prefix); !errors.Is(err, rpctypes.ErrUserEmpty) {
		return fmt.Errorf("without a token: %v", err)
	}
	_, err := clientv3.New(clientv3.Config{Logger: zap.NewNop(), Endpoints: w.client.Endpoints(), Username: "eve", Password: "wrong", DialTimeout: 5 * time.Second})
	if !errors.Is(err, rpctypes.ErrAuthFailed) {
		return fmt.Errorf("wrong password: %v", err)
	}
	eve, err := clientv3.New(clientv3.Config{Logger: zap.NewNop(), Endpoints: w.client.Endpoints(), Username: "eve", Password: "pass", DialTimeout: 5 * time.Second})
	if err != nil {
		return err
	}
	defer eve.Close()
	if _, err = eve.Get(w.ctx, w.prefix, clientv3.WithPrefix()); err != nil {
		return fmt.Errorf("read that is allowed: %w", err)
	}
	if _, err = eve.Get(w.ctx, "other"); !errors.Is(err, rpctypes.ErrPermissionDenied) {
		return fmt.Errorf("read that is denied: %v", err)
	}
	if _, err = eve.Put(w.ctx, w.prefix+"a", "1"); !errors.Is(err, rpctypes.ErrPermissionDenied) {
		return fmt.Errorf("write that is denied: %v", err)
	}
	_, err = eve.UserList(w.ctx)
	return want(errors.Is(err, rpctypes.ErrPermissionDenied), "user list: %v", err)
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/metadata"
)

// What two servers still know after both were killed and started again: every revision that is not
// compacted away, its history as a watch sees it, leases with their keys, users, roles and what these
// may do.
const keptRevisions = 40

func runKept(real, fake string, seed int64) int {
	sides, isOpen := openBoth(real, fake, newAuthSide)
	if !isOpen {
		return exitBroken
	}
	defer sides[0].close()
	defer sides[1].close()
	plain := [2]*side{sides[0].side, sides[1].side}
	checks := keptChecks(sides[0], seed)
	for _, check := range checks {
		var texts [2]string
		for i, one := range sides {
			ctx, cancel := context.WithTimeout(one.asRoot(), callTimeout)
			reply, err := check.ask(ctx, one)
			cancel()
			texts[i] = masked(reply, err)
		}
		if texts[0] != texts[1] {
			fmt.Printf("%s\n  real: %s\n  fake: %s\nFAIL kept seed %d\n", check.what, texts[0], texts[1], seed)
			return exitFailed
		}
	}
	if !sameEvents(plain) {
		fmt.Printf("FAIL kept seed %d: watches\n", seed)
		return exitFailed
	}
	fmt.Printf("ok   kept seed %d: %d questions, %d events\n", seed, len(checks), plain[0].watch.total())
	return 0
}

// With a token of root's when somebody is asked for one; the scripts give root the password p.
func (d *authSide) asRoot() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	if d.token == "" {
		if reply, err := d.auth.Authenticate(ctx, &pb.AuthenticateRequest{Name: rootName, Password: "p"}); err == nil {
			d.token = reply.Token
		}
	}
	if d.token == "" {
		return context.Background()
	}
	return metadata.AppendToOutgoingContext(context.Background(), "token", d.token)
}

func keptChecks(real *authSide, seed int64) []authStep {
	everything := []byte{0}
	var checks []authStep
	ctx, cancel := context.WithTimeout(real.asRoot(), callTimeout)
	defer cancel()
	now := int64(0)
	if reply, err := real.kv.Range(ctx, &pb.RangeRequest{Key: everything}); err == nil {
		now = reply.Header.Revision
	}
	for at := now + 1; at > 0 && at > now-keptRevisions; at-- {
		r := &pb.RangeRequest{Key: everything, RangeEnd: everything, Revision: at}
		checks = append(checks, asking("range", r, func(d *authSide, ctx context.Context, r *pb.RangeRequest) (*pb.RangeResponse, error) {
			return d.kv.Range(ctx, r)
		}))
	}
	for i := int64(0); i < leaseCount; i++ {
		for _, id := range []int64{1 + i, leaseBase + seed%100000*10 + i} {
			r := &pb.LeaseTimeToLiveRequest{ID: id, Keys: true}
			checks = append(checks, asking("time to live", r, func(d *authSide, ctx context.Context, r *pb.LeaseTimeToLiveRequest) (*pb.LeaseTimeToLiveResponse, error) {
				return d.lease.LeaseTimeToLive(ctx, r)
			}))
		}
	}
	for i := 0; i < authUsers; i++ {
		checks = append(checks, asking("user", &pb.AuthUserGetRequest{Name: fmt.Sprintf("u%d", i)}, func(d *authSide, ctx context.Context, r *pb.AuthUserGetRequest) (*pb.AuthUserGetResponse, error) {
			return d.auth.UserGet(ctx, r)
		}), authenticate(fmt.Sprintf("u%d", i), "p"))
	}
	for i := 0; i < authRoles; i++ {
		checks = append(checks, asking("role", &pb.AuthRoleGetRequest{Role: fmt.Sprintf("r%d", i)}, func(d *authSide, ctx context.Context, r *pb.AuthRoleGetRequest) (*pb.AuthRoleGetResponse, error) {
			return d.auth.RoleGet(ctx, r)
		}))
	}
	checks = append(checks, asking("auth status", &pb.AuthStatusRequest{}, func(d *authSide, ctx context.Context, r *pb.AuthStatusRequest) (*pb.AuthStatusResponse, error) {
		return d.auth.AuthStatus(ctx, r)
	}), asking("alarms", &pb.AlarmRequest{}, func(d *authSide, ctx context.Context, r *pb.AlarmRequest) (*pb.AlarmResponse, error) {
		return d.maintenance.Alarm(ctx, r)
	}))
	for at := int64(1); at <= now; at += 1 + now/8 {
		r := &pb.WatchCreateRequest{Key: everything, RangeEnd: everything, StartRevision: at, PrevKv: true}
		checks = append(checks, authStep{what: fmt.Sprintf("watch %v", r), ask: func(_ context.Context, d *authSide) (any, error) {
			return d.side.watch.create(r)
		}})
	}
	return checks
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

const (
	stepCount     = 300
	callTimeout   = 10 * time.Second
	settleTimeout = 30 * time.Second
	shownLast     = 6
)

// One server of the two, by raw messages: nothing of clientv3 smooths over a difference.
type side struct {
	name   string
	conn   *grpc.ClientConn
	kv     pb.KVClient
	lease  pb.LeaseClient
	watch  *watcher
	logged []string
}

func newSide(name, endpoint string) (*side, error) {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	conn, err := grpc.DialContext(ctx, endpoint, grpc.WithBlock(),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, fmt.Errorf("%s at %s: %w", name, endpoint, err)
	}
	s := &side{name: name, conn: conn, kv: pb.NewKVClient(conn), lease: pb.NewLeaseClient(conn)}
	s.watch, err = newWatcher(pb.NewWatchClient(conn))
	return s, err
}

func (s *side) close() { s.conn.Close() }

// Both servers, by what opens one; false: one of them cannot be had, and that was said.
func openBoth[S interface{ close() }](real, fake string, open func(name, endpoint string) (S, error)) (sides [2]S, isOpen bool) {
	for i, endpoint := range []string{real, fake} {
		s, err := open([]string{"real", "fake"}[i], endpoint)
		if err != nil {
			fmt.Println("broken:", err)
			if i == 1 {
				sides[0].close()
			}
			return sides, false
		}
		sides[i] = s
	}
	return sides, true
}

// One step of the script: what is asked, and the reply as text with ids, terms and times masked.
// Before a watch is cancelled, and before the store is compacted, both servers come to rest: neither
// may overtake events on one of them only.
type step struct {
	what    string
	ask     func(ctx context.Context, s *side) (reply any, err error)
	settles bool
}

func runSeed(real, fake string, seed int64) int {
	sides, isOpen := openBoth(real, fake, newSide)
	if !isOpen {
		return exitBroken
	}
	defer sides[0].close()
	defer sides[1].close()
	prefix := fmt.Sprintf("differ/%d/", seed)
	if !sameStart(sides, prefix) {
		return exitBroken
	}
	s := newScript(seed, prefix)
	watches := 0
	for n := 0; n < stepCount; n++ {
		now := nextStep(s, &watches)
		if !takeStep(sides, s, n, now) {
			fmt.Printf("FAIL differ seed %d\n", seed)
			return exitFailed
		}
	}
	if !sameEvents(sides) {
		fmt.Printf("FAIL differ seed %d: watches\n", seed)
		return exitFailed
	}
	fmt.Printf("ok   differ seed %d: %d steps, %d watches, %d events\n", seed, stepCount, watches,
		sides[0].watch.total())
	return 0
}

// The revisions of both servers are brought to the same number, so that replies can be compared as
// they are.
func sameStart(sides [2]*side, prefix string) bool {
	for {
		var at [2]int64
		for i, s := range sides {
			ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
			reply, err := s.kv.Range(ctx, &pb.RangeRequest{Key: []byte(prefix)})
			cancel()
			if err != nil {
				fmt.Printf("broken: %s: %v\n", s.name, err)
				return false
			}
			at[i] = reply.Header.Revision
		}
		if at[0] == at[1] {
			return true
		}
		behind := sides[0]
		if at[1] < at[0] {
			behind = sides[1]
		}
		ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
		_, err := behind.kv.Put(ctx, &pb.PutRequest{Key: []byte("differ-fill")})
		cancel()
		if err != nil {
			fmt.Printf("broken: %s: %v\n", behind.name, err)
			return false
		}
	}
}

func takeStep(sides [2]*side, s *script, n int, now step) bool {
	var texts [2]string
	if now.settles {
		settle(sides)
	}
	for i, one := range sides {
		ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
		reply, err := now.ask(ctx, one)
		cancel()
		texts[i] = masked(reply, err)
		if i == 0 && err == nil {
			s.sawRevision(reply)
		}
	}
	line := fmt.Sprintf("%3d %s -> %s", n, now.what, texts[0])
	sides[0].logged = append(sides[0].logged, line)
	if texts[0] == texts[1] {
		return true
	}
	fmt.Printf("step %d: %s\n  real: %s\n  fake: %s\n", n, now.what, texts[0], texts[1])
	before := sides[0].logged
	if len(before) > shownLast {
		before = before[len(before)-shownLast:]
	}
	fmt.Printf("before it:\n  %s\n", strings.Join(before, "\n  "))
	return false
}

func nextStep(s *script, watches *int) step {
	switch n := s.random.Intn(100); {
	case n < 28:
		r := s.putRequest()
		return step{fmt.Sprintf("put %v", r), func(ctx context.Context, d *side) (any, error) { return d.kv.Put(ctx, r) }, false}
	case n < 50:
		r := s.rangeRequest()
		return step{fmt.Sprintf("range %v", r), func(ctx context.Context, d *side) (any, error) { return d.kv.Range(ctx, r) }, false}
	case n < 58:
		r := s.deleteRequest()
		return step{fmt.Sprintf("delete %v", r), func(ctx context.Context, d *side) (any, error) { return d.kv.DeleteRange(ctx, r) }, false}
	case n < 76:
		r := s.txnRequest(2)
		return step{fmt.Sprintf("txn %v", r), func(ctx context.Context, d *side) (any, error) { return d.kv.Txn(ctx, r) }, false}
	case n < 79:
		r := &pb.CompactionRequest{Revision: s.revision + 1 - int64(s.random.Intn(25)), Physical: s.chance(50)}
		return step{fmt.Sprintf("compact %v", r), func(ctx context.Context, d *side) (any, error) { return d.kv.Compact(ctx, r) }, true}
	case n < 90:
		return leaseStep(s)
	case n < 96:
		*watches++
		r := s.watchRequest(int64(*watches))
		return step{fmt.Sprintf("watch %v", r), func(_ context.Context, d *side) (any, error) { return d.watch.create(r) }, false}
	default:
		id := int64(s.random.Intn(*watches + 1))
		return step{fmt.Sprintf("cancel watch %d", id), func(_ context.Context, d *side) (any, error) { return d.watch.cancel(id) }, true}
	}
}

func leaseStep(s *script) step {
	id := s.leases[s.random.Intn(len(s.leases))]
	switch s.random.Intn(7) {
	case 0, 1, 2:
		ttl := int64(600 + s.random.Intn(50))
		if s.chance(10) {
			ttl = 9000000001
		}
		r := &pb.LeaseGrantRequest{ID: id, TTL: ttl}
		return step{fmt.Sprintf("grant %v", r), func(ctx context.Context, d *side) (any, error) { return d.lease.LeaseGrant(ctx, r) }, false}
	case 3, 4:
		r := &pb.LeaseRevokeRequest{ID: id}
		return step{fmt.Sprintf("revoke %v", r), func(ctx context.Context, d *side) (any, error) { return d.lease.LeaseRevoke(ctx, r) }, false}
	case 5:
		r := &pb.LeaseTimeToLiveRequest{ID: id, Keys: true}
		return step{fmt.Sprintf("time to live %v", r), func(ctx context.Context, d *side) (any, error) { return d.lease.LeaseTimeToLive(ctx, r) }, false}
	default:
		r := &pb.LeaseKeepAliveRequest{ID: id}
		return step{fmt.Sprintf("keep alive %v", r), func(ctx context.Context, d *side) (any, error) {
			stream, err := d.lease.LeaseKeepAlive(ctx)
			if err != nil {
				return nil, err
			}
			if err = stream.Send(r); err != nil {
				return nil, err
			}
			return stream.Recv()
		}, false}
	}
}

func (s *script) sawRevision(reply any) {
	if with, ok := reply.(interface{ GetHeader() *pb.ResponseHeader }); ok && with.GetHeader() != nil {
		if at := with.GetHeader().Revision; at > s.revision {
			s.revision = at
		}
	}
}

func masked(reply any, err error) string {
	if err != nil {
		return fmt.Sprintf("code %d: %s", status.Code(err), status.Convert(err).Message())
	}
	if with, ok := reply.(interface{ GetHeader() *pb.ResponseHeader }); ok && with.GetHeader() != nil {
		with.GetHeader().ClusterId, with.GetHeader().MemberId, with.GetHeader().RaftTerm = 0, 0, 0
	}
	if given, ok := reply.(*pb.AuthenticateResponse); ok {
		given.Token = ""
	}
	if lease, ok := reply.(*pb.LeaseTimeToLiveResponse); ok {
		if lease.TTL > 0 {
			lease.TTL = 1
		}
		sort.Slice(lease.Keys, func(a, b int) bool { return string(lease.Keys[a]) < string(lease.Keys[b]) })
	}
	return fmt.Sprintf("%v", reply)
}

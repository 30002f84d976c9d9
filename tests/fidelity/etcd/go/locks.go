// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math/rand"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
)

// A random script about etcd's lock and election services, whose messages stand in no module of
// clients: they are written by hand. A call that would wait is given up; what its server then takes
// back is compared, too.
const (
	lockSteps  = 120
	lockNames  = 2
	lockLeases = 4
	lockWait   = 300 * time.Millisecond
	lockCalm   = 200 * time.Millisecond // in which a server takes back what was given up
)

type lockScript struct {
	random  *rand.Rand
	leaders [][]byte // LeaderKeys that campaigns gave; the same on both
	keys    [][]byte // of locks, likewise
}

// Messages are bytes already.
type rawCodec struct{}

func (rawCodec) Marshal(v any) ([]byte, error) { return v.([]byte), nil }
func (rawCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}
func (rawCodec) Name() string { return "proto" }

func runLockSeed(real, fake string, seed int64) int {
	sides, isOpen := openBoth(real, fake, newSide)
	if !isOpen {
		return exitBroken
	}
	defer sides[0].close()
	defer sides[1].close()
	if !sameStart(sides, "lock") {
		return exitBroken
	}
	s := &lockScript{random: rand.New(rand.NewSource(seed))}
	for n := 0; n < lockSteps; n++ {
		if !s.take(sides, n) {
			fmt.Printf("FAIL locks seed %d\n", seed)
			return exitFailed
		}
	}
	fmt.Printf("ok   locks seed %d: %d steps, %d locks, %d leaders\n", seed, lockSteps, len(s.keys), len(s.leaders))
	return 0
}

func (s *lockScript) take(sides [2]*side, n int) bool {
	what, ask := s.next()
	var texts [2]string
	isGivenUp := false
	for i, one := range sides {
		reply, err := ask(one)
		if err != nil {
			texts[i] = fmt.Sprintf("code %d: %s", status.Code(err), status.Convert(err).Message())
			isGivenUp = isGivenUp || status.Code(err) == codes.Canceled
		} else {
			texts[i] = reply
		}
	}
	if isGivenUp {
		time.Sleep(lockCalm)
	}
	for i, one := range sides {
		texts[i] += "; " + one.locks()
	}
	sides[0].logged = append(sides[0].logged, fmt.Sprintf("%3d %s -> %s", n, what, texts[0]))
	if texts[0] == texts[1] {
		return true
	}
	fmt.Printf("step %d: %s\n  real: %s\n  fake: %s\n", n, what, texts[0], texts[1])
	fmt.Printf("before it:\n  %s\n", strings.Join(sides[0].logged, "\n  "))
	return false
}

// What there is of locks and elections now.
func (d *side) locks() string {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	reply, err := d.kv.Range(ctx, &pb.RangeRequest{Key: []byte("lock"), RangeEnd: []byte("locl")})
	return masked(reply, err)
}

func (s *lockScript) name() []byte { return []byte(fmt.Sprintf("lock%d", s.random.Intn(lockNames))) }

func (s *lockScript) lease() int64 { return 0x100 + int64(s.random.Intn(lockLeases)) }

func (s *lockScript) one(of [][]byte) []byte {
	if len(of) == 0 {
		return nil
	}
	return of[len(of)-1-s.random.Intn(min(len(of), 4))]
}

func bytesField(message []byte, number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(message, number, protowire.BytesType), value)
}

func numberField(message []byte, number protowire.Number, value int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(message, number, protowire.VarintType), uint64(value))
}

func (s *lockScript) next() (string, func(d *side) (string, error)) {
	name, lease := s.name(), s.lease()
	value := []byte{byte('a' + s.random.Intn(3))}
	leader, key := s.one(s.leaders), s.one(s.keys)
	switch s.random.Intn(16) {
	case 0, 1:
		return fmt.Sprintf("grant %x", lease), func(d *side) (string, error) {
			reply, err := d.lease.LeaseGrant(context.Background(), &pb.LeaseGrantRequest{ID: lease, TTL: 600})
			return masked(reply, err), nil
		}
	case 2:
		return fmt.Sprintf("revoke %x", lease), func(d *side) (string, error) {
			reply, err := d.lease.LeaseRevoke(context.Background(), &pb.LeaseRevokeRequest{ID: lease})
			return masked(reply, err), nil
		}
	case 3, 4, 5:
		return s.call(fmt.Sprintf("lock %s %x", name, lease), "/v3lockpb.Lock/Lock", numberField(bytesField(nil, 1, name), 2, lease), &s.keys)
	case 6, 7:
		return s.call(fmt.Sprintf("unlock %q", key), "/v3lockpb.Lock/Unlock", bytesField(nil, 1, key), nil)
	case 8, 9, 10:
		request := bytesField(numberField(bytesField(nil, 1, name), 2, lease), 3, value)
		return s.call(fmt.Sprintf("campaign %s %x %s", name, lease, value), "/v3electionpb.Election/Campaign", request, &s.leaders)
	case 11:
		return s.call(fmt.Sprintf("proclaim %q %s", leader, value), "/v3electionpb.Election/Proclaim", bytesField(bytesField(nil, 1, leader), 2, value), nil)
	case 12:
		return s.call(fmt.Sprintf("leader %s", name), "/v3electionpb.Election/Leader", bytesField(nil, 1, name), nil)
	case 13:
		return s.call(fmt.Sprintf("resign %q", leader), "/v3electionpb.Election/Resign", bytesField(nil, 1, leader), nil)
	case 14:
		return fmt.Sprintf("observe %s", name), func(d *side) (string, error) { return d.observe(bytesField(nil, 1, name)) }
	default:
		at := fmt.Sprintf("%s/%x", name, lease)
		return "delete " + at, func(d *side) (string, error) {
			reply, err := d.kv.DeleteRange(context.Background(), &pb.DeleteRangeRequest{Key: []byte(at)})
			return masked(reply, err), nil
		}
	}
}

// What field 2 of the real one's reply says is kept in `kept`.
func (s *lockScript) call(what, path string, request []byte, kept *[][]byte) (string, func(d *side) (string, error)) {
	return what, func(d *side) (string, error) {
		ctx, cancel := patience()
		defer cancel()
		var reply []byte
		if err := d.conn.Invoke(ctx, path, request, &reply, grpc.ForceCodec(rawCodec{})); err != nil {
			return "", err
		}
		text, second := lockText(reply)
		if kept != nil && d.name == "real" {
			*kept = append(*kept, second)
		}
		return text, nil
	}
}

// Without a deadline that the server knows of: who of the two would be first to tell is a race.
func patience() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(lockWait, cancel)
	return ctx, cancel
}

func (d *side) observe(request []byte) (string, error) {
	ctx, cancel := patience()
	defer cancel()
	stream, err := d.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/v3electionpb.Election/Observe", grpc.ForceCodec(rawCodec{}))
	if err != nil {
		return "", err
	}
	if err = stream.SendMsg(request); err != nil {
		return "", err
	}
	_ = stream.CloseSend()
	var reply []byte
	if err = stream.RecvMsg(&reply); err != nil {
		return "", err
	}
	text, _ := lockText(reply)
	return text, nil
}

// The revision of the header, and the second field.
func lockText(reply []byte) (string, []byte) {
	header, second, revision := []byte(nil), []byte(nil), uint64(0)
	for len(reply) > 0 {
		number, _, n := protowire.ConsumeTag(reply)
		value, m := protowire.ConsumeBytes(reply[max(n, 0):])
		if n < 0 || m < 0 {
			return fmt.Sprintf("rubbish %q", reply), nil
		}
		if number == 1 {
			header = value
		} else {
			second = value
		}
		reply = reply[n+m:]
	}
	for len(header) > 0 {
		number, _, n := protowire.ConsumeTag(header)
		value, m := protowire.ConsumeVarint(header[max(n, 0):])
		if n < 0 || m < 0 {
			break
		}
		if number == 3 {
			revision = value
		}
		header = header[n+m:]
	}
	return fmt.Sprintf("revision %d, %q", revision, second), second
}

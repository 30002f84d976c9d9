// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// What the random script may ask: a pure function of the seed and of the revision that both
// servers agree on, so that both get the same requests.
type script struct {
	random   *rand.Rand
	revision int64
	prefix   string
	leases   []int64
}

const (
	keyCount   = 8
	leaseCount = 6
	leaseBase  = 7000
)

func newScript(seed int64, prefix string) *script {
	s := &script{random: rand.New(rand.NewSource(seed)), prefix: prefix}
	for i := int64(0); i < leaseCount; i++ {
		s.leases = append(s.leases, leaseBase+seed%100000*10+i)
	}
	return s
}

func (s *script) chance(percent int) bool { return s.random.Intn(100) < percent }

func (s *script) key() []byte {
	if s.chance(2) {
		return nil
	}
	return []byte(fmt.Sprintf("%sk%d", s.prefix, s.random.Intn(keyCount)))
}

// Everything stays below the prefix of this seed: what other seeds left behind is not seen.
func (s *script) end() []byte {
	switch s.random.Intn(6) {
	case 0, 1, 2:
		return nil
	case 3:
		return append([]byte(s.prefix), 0xff)
	default:
		return []byte(fmt.Sprintf("%sk%d", s.prefix, s.random.Intn(keyCount+1)))
	}
}

func (s *script) value() []byte {
	switch s.random.Intn(12) {
	case 0:
		return nil
	case 1:
		return make([]byte, s.random.Intn(3000))
	default:
		return []byte(fmt.Sprintf("v%d", s.random.Intn(4)))
	}
}

func (s *script) lease() int64 {
	if s.chance(70) {
		return 0
	}
	return s.leases[s.random.Intn(len(s.leases))]
}

// Near the current revision: old ones, the current one, and now and then one of the future.
func (s *script) someRevision() int64 {
	switch s.random.Intn(10) {
	case 0, 1, 2, 3:
		return 0
	case 4:
		return s.revision + int64(s.random.Intn(3))
	case 5:
		return -int64(s.random.Intn(2))
	default:
		return s.revision - int64(s.random.Intn(25))
	}
}

// A sort target that does not exist makes real etcd panic (3.4.23 and 3.5.21): never asked for.
func (s *script) rangeRequest() *pb.RangeRequest {
	r := &pb.RangeRequest{Key: s.key(), RangeEnd: s.end(), Revision: s.someRevision()}
	if s.chance(30) {
		r.Limit = int64(s.random.Intn(5))
	}
	if s.chance(40) {
		r.SortOrder = pb.RangeRequest_SortOrder(s.random.Intn(3))
		r.SortTarget = pb.RangeRequest_SortTarget(s.random.Intn(5))
	}
	r.Serializable = s.chance(20)
	r.KeysOnly = s.chance(15)
	r.CountOnly = s.chance(10)
	if s.chance(15) {
		r.MinModRevision = s.revision - int64(s.random.Intn(20))
	}
	if s.chance(10) {
		r.MaxModRevision = s.revision - int64(s.random.Intn(10))
	}
	if s.chance(10) {
		r.MinCreateRevision = s.revision - int64(s.random.Intn(20))
	}
	if s.chance(10) {
		r.MaxCreateRevision = s.revision - int64(s.random.Intn(10))
	}
	return r
}

func (s *script) putRequest() *pb.PutRequest {
	r := &pb.PutRequest{Key: s.key(), Value: s.value(), Lease: s.lease(), PrevKv: s.chance(30)}
	if s.chance(8) {
		r.IgnoreValue = true
		if s.chance(80) {
			r.Value = nil
		}
	}
	if s.chance(8) {
		r.IgnoreLease = true
		if s.chance(80) {
			r.Lease = 0
		}
	}
	return r
}

func (s *script) deleteRequest() *pb.DeleteRangeRequest {
	return &pb.DeleteRangeRequest{Key: s.key(), RangeEnd: s.end(), PrevKv: s.chance(40)}
}

func (s *script) compare() *pb.Compare {
	c := &pb.Compare{
		Result: pb.Compare_CompareResult(s.random.Intn(4)),
		Target: pb.Compare_CompareTarget(s.random.Intn(5)),
		Key:    s.key(),
	}
	if c.Key == nil {
		c.Key = []byte(s.prefix + "k0")
	}
	near := s.revision - int64(s.random.Intn(12))
	switch c.Target {
	case pb.Compare_VERSION:
		c.TargetUnion = &pb.Compare_Version{Version: int64(s.random.Intn(4))}
	case pb.Compare_CREATE:
		c.TargetUnion = &pb.Compare_CreateRevision{CreateRevision: near * int64(s.random.Intn(2))}
	case pb.Compare_MOD:
		c.TargetUnion = &pb.Compare_ModRevision{ModRevision: near * int64(s.random.Intn(2))}
	case pb.Compare_VALUE:
		c.TargetUnion = &pb.Compare_Value{Value: s.value()}
	case pb.Compare_LEASE:
		c.TargetUnion = &pb.Compare_Lease{Lease: s.lease()}
	}
	if s.chance(25) {
		c.RangeEnd = s.end()
	}
	if s.chance(3) {
		c.TargetUnion = nil
	}
	return c
}

// A Txn that deletes a key in a nested branch and puts it with ignore_value panics real 3.4.23, so
// puts inside transactions never ignore anything.
func (s *script) requestOp(depth int) *pb.RequestOp {
	switch n := s.random.Intn(100); {
	case n < 35:
		r := s.putRequest()
		r.IgnoreValue, r.IgnoreLease = false, false
		return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: r}}
	case n < 65:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: s.rangeRequest()}}
	case n < 88 || depth == 0:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: s.deleteRequest()}}
	default:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: s.txnRequest(depth - 1)}}
	}
}

func (s *script) txnRequest(depth int) *pb.TxnRequest {
	r := &pb.TxnRequest{}
	for i := s.random.Intn(3); i > 0; i-- {
		r.Compare = append(r.Compare, s.compare())
	}
	for i := s.random.Intn(4); i > 0; i-- {
		r.Success = append(r.Success, s.requestOp(depth))
	}
	for i := s.random.Intn(4); i > 0; i-- {
		r.Failure = append(r.Failure, s.requestOp(depth))
	}
	if s.chance(1) {
		for len(r.Success) < 129 {
			r.Success = append(r.Success, s.requestOp(0))
		}
	}
	return r
}

func (s *script) watchRequest(id int64) *pb.WatchCreateRequest {
	r := &pb.WatchCreateRequest{Key: s.key(), RangeEnd: s.end(), WatchId: id, PrevKv: s.chance(40)}
	if r.Key == nil {
		r.Key = []byte(s.prefix)
		r.RangeEnd = append([]byte(s.prefix), 0xff)
	}
	switch s.random.Intn(5) {
	case 0:
		r.StartRevision = s.revision + int64(s.random.Intn(4))
	case 1, 2:
		if r.StartRevision = s.revision - int64(s.random.Intn(20)); r.StartRevision < 0 {
			r.StartRevision = 0
		}
	}
	if s.chance(15) {
		r.Filters = append(r.Filters, pb.WatchCreateRequest_FilterType(s.random.Intn(2)))
	}
	return r
}

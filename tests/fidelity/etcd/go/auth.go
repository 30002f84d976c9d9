// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math/rand"
	"strings"

	"go.etcd.io/etcd/api/v3/authpb"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/metadata"
)

// A random script about who may do what: users, roles, permissions, tokens that are right, old or
// made up, and with each of them what needs a permission. Passwords cost the real server 60 ms each,
// so there are few.
const (
	authSteps      = 250
	authUsers      = 3
	authRoles      = 3
	authKeys       = 5
	rootName       = "root"
	tokenNobody    = "made.up"
	tokensKept     = 5
	oldUses        = 12 // of the kinds of use those that all versions of 3.5 treat alike
	allUses        = 18
	authEnableStep = 12 // by then there is a root, so that some of the script runs without
)

// What both servers are asked; tokens are each server's own.
type authScript struct {
	random *rand.Rand
	tokens [][2]string // the same calls gave them
	names  []string    // whose they are
	// The real one is an older 3.5 than the profile: 3.5.28 and later ask for permission at more
	// places, which are left out once auth is on.
	isOlder bool
	mayBeOn bool
}

type authSide struct {
	*side
	auth        pb.AuthClient
	cluster     pb.ClusterClient
	maintenance pb.MaintenanceClient
	watching    pb.WatchClient
	token       string
}

func newAuthSide(name, endpoint string) (*authSide, error) {
	s, err := newSide(name, endpoint)
	if err != nil {
		return nil, err
	}
	return &authSide{side: s, auth: pb.NewAuthClient(s.conn), cluster: pb.NewClusterClient(s.conn),
		maintenance: pb.NewMaintenanceClient(s.conn), watching: pb.NewWatchClient(s.conn)}, nil
}

type authStep struct {
	what string
	ask  func(ctx context.Context, d *authSide) (any, error)
	// Of Authenticate: the reply's token is kept.
	user string
}

func runAuthSeed(real, fake string, seed int64) int {
	sides, isOpen := openBoth(real, fake, newAuthSide)
	if !isOpen {
		return exitBroken
	}
	defer sides[0].close()
	defer sides[1].close()
	if !sameStart([2]*side{sides[0].side, sides[1].side}, "auth/") {
		return exitBroken
	}
	s := &authScript{random: rand.New(rand.NewSource(seed))}
	s.isOlder = isOlder(sides)
	for n := 0; n < authSteps; n++ {
		if !s.take(sides, n, s.next(n)) {
			fmt.Printf("FAIL auth seed %d\n", seed)
			return exitFailed
		}
	}
	fmt.Printf("ok   auth seed %d: %d steps, %d tokens\n", seed, authSteps, len(s.tokens))
	return 0
}

func isOlder(sides [2]*authSide) bool {
	var versions [2]string
	for i, one := range sides {
		ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
		if reply, err := one.maintenance.Status(ctx, &pb.StatusRequest{}); err == nil {
			versions[i] = reply.Version
		}
		cancel()
	}
	return versions[0] != versions[1]
}

func (s *authScript) take(sides [2]*authSide, n int, now authStep) bool {
	const nobody, madeUp = -1, -2
	who, name := nobody, "nobody"
	switch chance := s.random.Intn(10); {
	case n <= authEnableStep+1 || chance == 0: // somebody has to set things up
	case chance == 1:
		who, name = madeUp, tokenNobody
	case len(s.tokens) > 0:
		who = s.random.Intn(len(s.tokens))
		name = fmt.Sprintf("token %d of %s", who, s.names[who])
	}
	var texts [2]string
	var tokens [2]string
	for i, one := range sides {
		ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
		if who == madeUp {
			ctx = metadata.AppendToOutgoingContext(ctx, "token", tokenNobody)
		} else if who >= 0 {
			ctx = metadata.AppendToOutgoingContext(ctx, "token", s.tokens[who][i])
		}
		reply, err := now.ask(ctx, one)
		cancel()
		if given, ok := reply.(*pb.AuthenticateResponse); ok && err == nil {
			tokens[i], given.Token = given.Token, ""
		}
		texts[i] = masked(reply, err)
	}
	if tokens[0] != "" && tokens[1] != "" {
		s.tokens, s.names = append(s.tokens, tokens), append(s.names, now.user)
		if len(s.tokens) > tokensKept {
			s.tokens, s.names = s.tokens[1:], s.names[1:]
		}
	}
	line := fmt.Sprintf("%3d [%s] %s -> %s", n, name, now.what, texts[0])
	sides[0].logged = append(sides[0].logged, line)
	if texts[0] == texts[1] {
		return true
	}
	fmt.Printf("step %d [%s]: %s\n  real: %s\n  fake: %s\n", n, name, now.what, texts[0], texts[1])
	fmt.Printf("before it:\n  %s\n", strings.Join(sides[0].logged, "\n  "))
	return false
}

// Any message, asked with the method of its service.
func asking[Request, Reply any](what string, r Request, ask func(d *authSide, ctx context.Context, r Request) (Reply, error)) authStep {
	return authStep{what: fmt.Sprintf("%s %v", what, r), ask: func(ctx context.Context, d *authSide) (any, error) {
		return ask(d, ctx, r)
	}}
}

func (s *authScript) user() string {
	if n := s.random.Intn(authUsers * 2); n < authUsers {
		return fmt.Sprintf("u%d", n)
	}
	return rootName
}

func (s *authScript) role() string {
	switch n := s.random.Intn(authRoles*4 + 2); n {
	case 0:
		return rootName
	case 1:
		return ""
	default:
		return fmt.Sprintf("r%d", n%authRoles)
	}
}

func (s *authScript) key() []byte { return []byte(fmt.Sprintf("auth/%d", s.random.Intn(authKeys))) }

func (s *authScript) end() []byte {
	switch s.random.Intn(5) {
	case 0:
		return []byte("auth0")
	case 1:
		return []byte{0}
	case 2:
		return s.key()
	default:
		return nil
	}
}

func (s *authScript) next(n int) authStep {
	switch n { // so that there is somebody who may do everything
	case 0:
		return userAdd(rootName, "p")
	case 1:
		return roleAdd(rootName)
	case 2:
		return grantRole(rootName, rootName)
	case authEnableStep:
		s.mayBeOn = true
		return asking("enable", &pb.AuthEnableRequest{}, func(d *authSide, ctx context.Context, r *pb.AuthEnableRequest) (*pb.AuthEnableResponse, error) {
			return d.auth.AuthEnable(ctx, r)
		})
	case authEnableStep + 1:
		return authenticate(rootName, "p")
	}
	if s.random.Intn(100) < 45 {
		return s.manage()
	}
	if s.isOlder && s.mayBeOn {
		return s.use(oldUses)
	}
	return s.use(allUses)
}

func userAdd(name, password string) authStep {
	r := &pb.AuthUserAddRequest{Name: name, Password: password, Options: &authpb.UserAddOptions{NoPassword: password == ""}}
	return asking("user add", r, func(d *authSide, ctx context.Context, r *pb.AuthUserAddRequest) (*pb.AuthUserAddResponse, error) {
		return d.auth.UserAdd(ctx, r)
	})
}

func roleAdd(name string) authStep {
	return asking("role add", &pb.AuthRoleAddRequest{Name: name}, func(d *authSide, ctx context.Context, r *pb.AuthRoleAddRequest) (*pb.AuthRoleAddResponse, error) {
		return d.auth.RoleAdd(ctx, r)
	})
}

func grantRole(user, role string) authStep {
	r := &pb.AuthUserGrantRoleRequest{User: user, Role: role}
	return asking("user grant", r, func(d *authSide, ctx context.Context, r *pb.AuthUserGrantRoleRequest) (*pb.AuthUserGrantRoleResponse, error) {
		return d.auth.UserGrantRole(ctx, r)
	})
}

func authenticate(name, password string) authStep {
	step := asking("authenticate", &pb.AuthenticateRequest{Name: name, Password: password}, func(d *authSide, ctx context.Context, r *pb.AuthenticateRequest) (*pb.AuthenticateResponse, error) {
		return d.auth.Authenticate(ctx, r)
	})
	step.user = name
	return step
}

func (s *authScript) password() string {
	if s.random.Intn(6) == 0 {
		return "wrong"
	}
	return "p"
}

func (s *authScript) manage() authStep {
	switch s.random.Intn(20) {
	case 0, 1:
		return userAdd(s.user(), []string{"p", "p", "p", ""}[s.random.Intn(4)])
	case 2:
		return asking("user delete", &pb.AuthUserDeleteRequest{Name: s.user()}, func(d *authSide, ctx context.Context, r *pb.AuthUserDeleteRequest) (*pb.AuthUserDeleteResponse, error) {
			return d.auth.UserDelete(ctx, r)
		})
	case 3:
		return asking("change password", &pb.AuthUserChangePasswordRequest{Name: s.user(), Password: "p"}, func(d *authSide, ctx context.Context, r *pb.AuthUserChangePasswordRequest) (*pb.AuthUserChangePasswordResponse, error) {
			return d.auth.UserChangePassword(ctx, r)
		})
	case 4, 5:
		return grantRole(s.user(), s.role())
	case 6:
		return asking("user revoke", &pb.AuthUserRevokeRoleRequest{Name: s.user(), Role: s.role()}, func(d *authSide, ctx context.Context, r *pb.AuthUserRevokeRoleRequest) (*pb.AuthUserRevokeRoleResponse, error) {
			return d.auth.UserRevokeRole(ctx, r)
		})
	case 7:
		return asking("user get", &pb.AuthUserGetRequest{Name: s.user()}, func(d *authSide, ctx context.Context, r *pb.AuthUserGetRequest) (*pb.AuthUserGetResponse, error) {
			return d.auth.UserGet(ctx, r)
		})
	case 8:
		return asking("user list", &pb.AuthUserListRequest{}, func(d *authSide, ctx context.Context, r *pb.AuthUserListRequest) (*pb.AuthUserListResponse, error) {
			return d.auth.UserList(ctx, r)
		})
	case 9, 10:
		return roleAdd(s.role())
	case 11:
		return asking("role delete", &pb.AuthRoleDeleteRequest{Role: s.role()}, func(d *authSide, ctx context.Context, r *pb.AuthRoleDeleteRequest) (*pb.AuthRoleDeleteResponse, error) {
			return d.auth.RoleDelete(ctx, r)
		})
	case 12:
		return asking("role get", &pb.AuthRoleGetRequest{Role: s.role()}, func(d *authSide, ctx context.Context, r *pb.AuthRoleGetRequest) (*pb.AuthRoleGetResponse, error) {
			return d.auth.RoleGet(ctx, r)
		})
	case 13:
		return asking("role list", &pb.AuthRoleListRequest{}, func(d *authSide, ctx context.Context, r *pb.AuthRoleListRequest) (*pb.AuthRoleListResponse, error) {
			return d.auth.RoleList(ctx, r)
		})
	case 14, 15, 16:
		r := &pb.AuthRoleGrantPermissionRequest{Name: s.role(), Perm: &authpb.Permission{
			PermType: authpb.Permission_Type(s.random.Intn(3)), Key: s.key(), RangeEnd: s.end()}}
		return asking("role grant", r, func(d *authSide, ctx context.Context, r *pb.AuthRoleGrantPermissionRequest) (*pb.AuthRoleGrantPermissionResponse, error) {
			return d.auth.RoleGrantPermission(ctx, r)
		})
	case 17:
		r := &pb.AuthRoleRevokePermissionRequest{Role: s.role(), Key: s.key(), RangeEnd: s.end()}
		return asking("role revoke", r, func(d *authSide, ctx context.Context, r *pb.AuthRoleRevokePermissionRequest) (*pb.AuthRoleRevokePermissionResponse, error) {
			return d.auth.RoleRevokePermission(ctx, r)
		})
	case 18:
		if s.random.Intn(6) == 0 {
			return asking("disable", &pb.AuthDisableRequest{}, func(d *authSide, ctx context.Context, r *pb.AuthDisableRequest) (*pb.AuthDisableResponse, error) {
				return d.auth.AuthDisable(ctx, r)
			})
		}
		s.mayBeOn = true
		return asking("enable", &pb.AuthEnableRequest{}, func(d *authSide, ctx context.Context, r *pb.AuthEnableRequest) (*pb.AuthEnableResponse, error) {
			return d.auth.AuthEnable(ctx, r)
		})
	default:
		return asking("auth status", &pb.AuthStatusRequest{}, func(d *authSide, ctx context.Context, r *pb.AuthStatusRequest) (*pb.AuthStatusResponse, error) {
			return d.auth.AuthStatus(ctx, r)
		})
	}
}

func (s *authScript) use(kinds int) authStep {
	switch s.random.Intn(kinds) {
	case 0, 1, 2:
		return authenticate(s.user(), s.password())
	case 3, 4, 5:
		return asking("put", s.put(true), func(d *authSide, ctx context.Context, r *pb.PutRequest) (*pb.PutResponse, error) {
			return d.kv.Put(ctx, r)
		})
	case 6, 7:
		r := &pb.RangeRequest{Key: s.key(), RangeEnd: s.end(), Serializable: s.random.Intn(2) == 0}
		return asking("range", r, func(d *authSide, ctx context.Context, r *pb.RangeRequest) (*pb.RangeResponse, error) {
			return d.kv.Range(ctx, r)
		})
	case 8:
		r := &pb.DeleteRangeRequest{Key: s.key(), RangeEnd: s.end(), PrevKv: s.random.Intn(2) == 0}
		return asking("delete", r, func(d *authSide, ctx context.Context, r *pb.DeleteRangeRequest) (*pb.DeleteRangeResponse, error) {
			return d.kv.DeleteRange(ctx, r)
		})
	case 9:
		r := &pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: &pb.WatchCreateRequest{Key: s.key(), RangeEnd: s.end()}}}
		return asking("watch", r, firstOfWatch)
	case 10, 11, 12:
		return asking("txn", s.txn(1), func(d *authSide, ctx context.Context, r *pb.TxnRequest) (*pb.TxnResponse, error) {
			return d.kv.Txn(ctx, r)
		})
	case 13:
		r := &pb.LeaseGrantRequest{ID: 1 + int64(s.random.Intn(3)), TTL: 600}
		return asking("grant", r, func(d *authSide, ctx context.Context, r *pb.LeaseGrantRequest) (*pb.LeaseGrantResponse, error) {
			return d.lease.LeaseGrant(ctx, r)
		})
	case 14:
		r := &pb.LeaseRevokeRequest{ID: 1 + int64(s.random.Intn(3))}
		return asking("revoke", r, func(d *authSide, ctx context.Context, r *pb.LeaseRevokeRequest) (*pb.LeaseRevokeResponse, error) {
			return d.lease.LeaseRevoke(ctx, r)
		})
	case 15:
		r := &pb.LeaseTimeToLiveRequest{ID: 1 + int64(s.random.Intn(3)), Keys: s.random.Intn(2) == 0}
		return asking("time to live", r, func(d *authSide, ctx context.Context, r *pb.LeaseTimeToLiveRequest) (*pb.LeaseTimeToLiveResponse, error) {
			return d.lease.LeaseTimeToLive(ctx, r)
		})
	case 16:
		r := &pb.LeaseKeepAliveRequest{ID: 1 + int64(s.random.Intn(3))}
		return asking("keep alive", r, firstOfKeepAlive)
	default:
		return s.look()
	}
}

func (s *authScript) put(hasLease bool) *pb.PutRequest {
	r := &pb.PutRequest{Key: s.key(), Value: []byte{byte('a' + s.random.Intn(3))}, PrevKv: s.random.Intn(3) == 0}
	if hasLease && s.random.Intn(3) == 0 {
		r.Lease = 1 + int64(s.random.Intn(3))
	}
	return r
}

func (s *authScript) txn(depth int) *pb.TxnRequest {
	branch := func() []*pb.RequestOp {
		switch s.random.Intn(5) {
		case 0:
			return []*pb.RequestOp{{Request: &pb.RequestOp_RequestPut{RequestPut: s.put(!s.isOlder)}}}
		case 1:
			return []*pb.RequestOp{{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: &pb.DeleteRangeRequest{Key: s.key(), RangeEnd: s.end()}}}}
		case 2:
			return []*pb.RequestOp{{Request: &pb.RequestOp_RequestRange{RequestRange: &pb.RangeRequest{Key: s.key(), RangeEnd: s.end()}}}}
		case 3:
			if depth > 0 && !s.isOlder {
				return []*pb.RequestOp{{Request: &pb.RequestOp_RequestTxn{RequestTxn: s.txn(depth - 1)}}}
			}
		}
		return nil
	}
	r := &pb.TxnRequest{Success: branch(), Failure: branch()}
	if s.random.Intn(2) == 0 {
		r.Compare = []*pb.Compare{{Target: pb.Compare_VERSION, Result: pb.Compare_GREATER, Key: s.key(), RangeEnd: s.end(),
			TargetUnion: &pb.Compare_Version{Version: 0}}}
	}
	return r
}

// What reads no key.
func (s *authScript) look() authStep {
	switch s.random.Intn(6) {
	case 0:
		return asking("alarms", &pb.AlarmRequest{}, func(d *authSide, ctx context.Context, r *pb.AlarmRequest) (*pb.AlarmResponse, error) {
			return d.maintenance.Alarm(ctx, r)
		})
	case 1:
		return asking("leases", &pb.LeaseLeasesRequest{}, func(d *authSide, ctx context.Context, r *pb.LeaseLeasesRequest) (string, error) {
			_, err := d.lease.LeaseLeases(ctx, r) // in no order
			return "leases", err
		})
	case 2:
		return asking("members", &pb.MemberListRequest{}, func(d *authSide, ctx context.Context, r *pb.MemberListRequest) (string, error) {
			_, err := d.cluster.MemberList(ctx, r)
			return "members", err
		})
	case 3:
		return asking("status", &pb.StatusRequest{}, func(d *authSide, ctx context.Context, r *pb.StatusRequest) (string, error) {
			_, err := d.maintenance.Status(ctx, r)
			return "status", err
		})
	case 4:
		return asking("hash", &pb.HashKVRequest{}, func(d *authSide, ctx context.Context, r *pb.HashKVRequest) (string, error) {
			_, err := d.maintenance.HashKV(ctx, r)
			return "hash", err
		})
	default:
		return asking("compact", &pb.CompactionRequest{Revision: int64(s.random.Intn(20))}, func(d *authSide, ctx context.Context, r *pb.CompactionRequest) (*pb.CompactionResponse, error) {
			return d.kv.Compact(ctx, r)
		})
	}
}

func firstOfWatch(d *authSide, ctx context.Context, r *pb.WatchRequest) (*pb.WatchResponse, error) {
	stream, err := d.watching.Watch(ctx)
	if err != nil {
		return nil, err
	}
	if err = stream.Send(r); err != nil {
		return nil, err
	}
	return stream.Recv()
}

func firstOfKeepAlive(d *authSide, ctx context.Context, r *pb.LeaseKeepAliveRequest) (*pb.LeaseKeepAliveResponse, error) {
	stream, err := d.lease.LeaseKeepAlive(ctx)
	if err != nil {
		return nil, err
	}
	if err = stream.Send(r); err != nil {
		return nil, err
	}
	return stream.Recv()
}

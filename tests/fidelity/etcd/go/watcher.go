// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

// All watches of one server on one stream. How events are spread over responses may differ between
// two runs of one server; their order for each watch may not.
type watcher struct {
	stream pb.Watch_WatchClient
	lock   sync.Mutex
	events map[int64][]string
	ends   map[int64]string
	live   map[int64]bool
	acks   chan string
}

func newWatcher(client pb.WatchClient) (*watcher, error) {
	stream, err := client.Watch(context.Background())
	if err != nil {
		return nil, err
	}
	w := &watcher{stream: stream, events: map[int64][]string{}, ends: map[int64]string{}, live: map[int64]bool{}, acks: make(chan string, 64)}
	go w.receive()
	return w, nil
}

func (w *watcher) receive() {
	for {
		reply, err := w.stream.Recv()
		if err != nil {
			return
		}
		w.lock.Lock()
		for _, event := range reply.Events {
			w.events[reply.WatchId] = append(w.events[reply.WatchId], eventText(event))
		}
		if reply.Canceled && !reply.Created {
			w.ends[reply.WatchId] = fmt.Sprintf("canceled, compact revision %d, reason %q", reply.CompactRevision, reply.CancelReason)
		}
		if reply.Created || reply.Canceled {
			w.live[reply.WatchId] = !reply.Canceled
		}
		w.lock.Unlock()
		if reply.Created {
			w.acks <- fmt.Sprintf("id %d canceled %v revision %d reason %q", reply.WatchId, reply.Canceled, reply.Header.GetRevision(), reply.CancelReason)
		}
	}
}

func eventText(event *mvccpb.Event) string { return fmt.Sprintf("%v", event) }

func (w *watcher) create(request *pb.WatchCreateRequest) (any, error) {
	err := w.stream.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: request}})
	if err != nil {
		return nil, err
	}
	select {
	case ack := <-w.acks:
		return ack, nil
	case <-time.After(settleTimeout):
		return nil, errors.New("the watch was not acknowledged")
	}
}

// The answer to a cancellation is an end like any other: compared when all is over. It is waited for,
// or the server may send what the next step writes. A watch that is not there is not answered for.
func (w *watcher) cancel(id int64) (any, error) {
	isAnswered := w.isLive(id)
	err := w.stream.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CancelRequest{CancelRequest: &pb.WatchCancelRequest{WatchId: id}}})
	for deadline := time.Now().Add(settleTimeout); err == nil && isAnswered && w.isLive(id); {
		if time.Now().After(deadline) {
			return nil, errors.New("the cancellation was not acknowledged")
		}
		time.Sleep(time.Millisecond)
	}
	return nil, err
}

func (w *watcher) isLive(id int64) bool {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.live[id]
}

// Until both servers have sent the same number of events and ends and nothing more for a while. A
// difference that stays is found by sameEvents.
func settle(sides [2]*side) {
	const quiet = 130 * time.Millisecond // longer than the interval of a server's catching up
	const look = 10 * time.Millisecond
	deadline := time.Now().Add(settleTimeout)
	last, since := -1, time.Now()
	for time.Now().Before(deadline) {
		real, fake := sides[0].watch.total(), sides[1].watch.total()
		if real != fake || real+fake != last {
			last, since = real+fake, time.Now()
		} else if time.Since(since) >= quiet {
			return
		}
		time.Sleep(look)
	}
}

func (w *watcher) total() int {
	w.lock.Lock()
	defer w.lock.Unlock()
	count := len(w.ends)
	for _, events := range w.events {
		count += len(events)
	}
	return count
}

func sameEvents(sides [2]*side) bool {
	settle(sides)
	real, fake := sides[0].watch, sides[1].watch
	same := true
	for id := int64(0); id < stepCount; id++ {
		same = sameWatch(id, real, fake) && same
	}
	return same
}

func sameWatch(id int64, real, fake *watcher) bool {
	a, b := real.events[id], fake.events[id]
	for i := 0; i < len(a) || i < len(b); i++ {
		left, right := "nothing", "nothing"
		if i < len(a) {
			left = a[i]
		}
		if i < len(b) {
			right = b[i]
		}
		if left != right {
			fmt.Printf("watch %d, event %d of %d and %d:\n  real: %s\n  fake: %s\n", id, i, len(a), len(b), left, right)
			return false
		}
	}
	if real.ends[id] != fake.ends[id] {
		fmt.Printf("watch %d ended\n  real: %s\n  fake: %s\n", id, real.ends[id], fake.ends[id])
		return false
	}
	return true
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/encoding/protowire"
)

// What a server says to bytes that no well-behaved client sends. Each case has a connection of its
// own to each server; what comes back is told as lines:
//
//	1 headers :status=200 content-type=application/grpc
//	1 message "\x12\x01a"
//	1 end grpc-status=3 grpc-message=...
//	1 reset PROTOCOL_ERROR
//	goaway ENHANCE_YOUR_CALM
//	closed
const (
	wireDialTimeout = 5 * time.Second
	wireDeadline    = 5 * time.Second        // of a case that must be answered
	wireQuiet       = 700 * time.Millisecond // nothing more comes after so long
	wireMaxFrame    = 1 << 20
	pingOfCase      = "the-last"
)

// A connection on which the preface and SETTINGS have been exchanged, unless the case is raw.
type wire struct {
	conn    net.Conn
	framer  *http2.Framer
	encoder *hpack.Encoder
	block   bytes.Buffer
	opened  map[uint32]bool // streams that have not ended yet
}

type wireCase struct {
	name  string
	isRaw bool // no preface: the case sends all bytes
	// Some refusals cannot be told apart by any client of etcd's, only by their place: Go's library
	// closes where nghttp2 says why first, or the other way round. Then only this is compared.
	isGentle bool
	send     func(w *wire)
}

func runWire(real, fake, only string) int {
	verdict := 0
	results := make([][2]string, len(wireCases))
	var waiting sync.WaitGroup
	for j, endpoint := range []string{real, fake} {
		waiting.Add(1)
		go func() { // one after the other: what cases store is the same then on both
			defer waiting.Done()
			for i, one := range wireCases {
				if strings.Contains(one.name, only) {
					results[i][j] = strings.Join(one.run(endpoint), "\n  ")
				}
			}
		}()
	}
	waiting.Wait()
	for i, one := range wireCases {
		if !strings.Contains(one.name, only) {
			continue
		}
		said := results[i]
		if one.isGentle {
			said[0], said[1] = refusal(said[0]), refusal(said[1])
		}
		if said[0] == said[1] {
			fmt.Printf("ok   %s\n", one.name)
			continue
		}
		verdict = exitFailed
		fmt.Printf("FAIL %s\n real:\n  %s\n fake:\n  %s\n", one.name, said[0], said[1])
	}
	return verdict
}

// Whether a stream, or the connection, was refused at all.
func refusal(said string) string {
	for _, word := range []string{"closed", "goaway", "reset", "grpc-status"} {
		if strings.Contains(said, word) {
			return "refused"
		}
	}
	return "taken"
}

func (one wireCase) run(endpoint string) []string {
	conn, err := net.DialTimeout("tcp", endpoint, wireDialTimeout)
	if err != nil {
		return []string{"no server"}
	}
	defer conn.Close()
	w := &wire{conn: conn, framer: http2.NewFramer(conn, conn), opened: map[uint32]bool{}}
	w.framer.AllowIllegalWrites = true
	w.framer.AllowIllegalReads = true
	w.framer.SetMaxReadFrameSize(wireMaxFrame)
	w.encoder = hpack.NewEncoder(&w.block)
	if !one.isRaw {
		fmt.Fprint(conn, http2.ClientPreface)
		_ = w.framer.WriteSettings()
	}
	one.send(w)
	if !one.isRaw {
		var data [8]byte
		copy(data[:], pingOfCase)
		_ = w.framer.WritePing(false, data)
	}
	return w.listen()
}

// Until the connection ends, or every stream has ended and the last ping is answered, or silence.
func (w *wire) listen() []string {
	var said []string
	decoder := hpack.NewDecoder(4096, nil)
	isPinged := false
	begin := time.Now()
	for time.Since(begin) < wireDeadline && !(isPinged && len(w.opened) == 0) {
		_ = w.conn.SetReadDeadline(time.Now().Add(wireQuiet))
		frame, err := w.framer.ReadFrame()
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return append(said, "silence")
		}
		if err != nil {
			return append(said, "closed")
		}
		switch frame := frame.(type) {
		case *http2.HeadersFrame:
			word := "headers"
			if frame.StreamEnded() {
				word = "end"
				delete(w.opened, frame.StreamID)
			}
			fields, _ := decoder.DecodeFull(frame.HeaderBlockFragment())
			said = append(said, fmt.Sprintf("%d %s%s", frame.StreamID, word, fieldsText(fields)))
		case *http2.DataFrame:
			if len(frame.Data()) > 0 {
				said = append(said, fmt.Sprintf("%d message %s", frame.StreamID, messageText(frame.Data())))
			}
			if frame.StreamEnded() {
				said = append(said, fmt.Sprintf("%d end without trailers", frame.StreamID))
				delete(w.opened, frame.StreamID)
			}
		case *http2.RSTStreamFrame:
			if frame.ErrCode != http2.ErrCodeNo { // "say no more": whether it comes is a race
				said = append(said, fmt.Sprintf("%d reset %v", frame.StreamID, frame.ErrCode))
			}
			delete(w.opened, frame.StreamID)
		case *http2.GoAwayFrame:
			said = append(said, fmt.Sprintf("goaway %v", frame.ErrCode))
		case *http2.PingFrame:
			isPinged = isPinged || frame.IsAck() && string(frame.Data[:]) == pingOfCase
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				_ = w.framer.WriteSettingsAck()
			}
		}
	}
	return said
}

// Without etcd's header, whose ids differ. Replies of the cases fit into one frame.
func messageText(data []byte) string {
	const prefixBytes = 5
	if len(data) < prefixBytes {
		return fmt.Sprintf("prefix %x", data)
	}
	rest := data[prefixBytes:]
	if number, kind, tagBytes := protowire.ConsumeTag(rest); number == 1 && kind == protowire.BytesType {
		if _, bytes := protowire.ConsumeBytes(rest[tagBytes:]); bytes > 0 {
			rest = rest[tagBytes+bytes:]
		}
	}
	return fmt.Sprintf("%q", rest)
}

var maskedDigits = regexp.MustCompile(`[0-9]{12,20}`)

func fieldsText(fields []hpack.HeaderField) string {
	var text strings.Builder
	for _, field := range fields {
		if field.Name != "date" {
			fmt.Fprintf(&text, " %s=%s", field.Name, maskedDigits.ReplaceAllString(field.Value, "#"))
		}
	}
	return text.String()
}

// ---- words of a case ----

func (w *wire) headerBlock(pairs ...string) []byte {
	w.block.Reset()
	for i := 0; i+1 < len(pairs); i += 2 {
		_ = w.encoder.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	return append([]byte(nil), w.block.Bytes()...)
}

func requestFields(path string) []string {
	return []string{":method", "POST", ":scheme", "http", ":path", path, ":authority", "localhost",
		"content-type", "application/grpc", "te", "trailers"}
}

func (w *wire) open(stream uint32, isEnd bool, pairs ...string) {
	w.opened[stream] = true
	_ = w.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: w.headerBlock(pairs...),
		EndHeaders: true, EndStream: isEnd})
}

// A call with one message, of `flag` and of bytes that may be no protobuf.
func (w *wire) call(stream uint32, path string, flag byte, message []byte, more ...string) {
	w.open(stream, false, append(requestFields(path), more...)...)
	w.data(stream, true, prefixed(flag, len(message), message))
}

func (w *wire) data(stream uint32, isEnd bool, bytes []byte) {
	const frameBytes = 16384
	for len(bytes) > frameBytes {
		_ = w.framer.WriteData(stream, false, bytes[:frameBytes])
		bytes = bytes[frameBytes:]
	}
	_ = w.framer.WriteData(stream, isEnd, bytes)
}

func prefixed(flag byte, length int, message []byte) []byte {
	return append([]byte{flag, byte(length >> 24), byte(length >> 16), byte(length >> 8), byte(length)}, message...)
}

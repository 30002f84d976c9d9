// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/http2"
)

// Not here, because both are right, or the real one is not a model:
//   - client-api-version with bad UTF-8: real 3.5 ends there (a label of its metrics panics)
//   - DATA on a stream that was never opened, SETTINGS with a frame size of 0: nghttp2 refuses them
//   - grpc-encoding gzip: etcd 3.5 answers packed too, the fake plainly
//   - content-type application/grpc;x, which etcd answers with application/grpc+x
//   - groups in a message: protobuf-c does not skip them
//   - trailers of a request: 3.4 answers and resets at once
//   - a timeout that is over at once: which of two words etcd says is a race
const (
	rangePath   = "/etcdserverpb.KV/Range"
	putPath     = "/etcdserverpb.KV/Put"
	txnPath     = "/etcdserverpb.KV/Txn"
	watchPath   = "/etcdserverpb.Watch/Watch"
	alivePath   = "/etcdserverpb.Lease/LeaseKeepAlive"
	roleAddPath = "/etcdserverpb.Auth/RoleAdd"
	roleGetPath = "/etcdserverpb.Auth/RoleGet"
	userAddPath = "/etcdserverpb.Auth/UserAdd"
)

var (
	keyA      = []byte{0x0a, 1, 'a'}
	badUTF8   = []byte{0x0a, 3, 'r', 0xff, 0xfe}
	wireCases = slices.Concat(frameCases, headerCases, tokenCases(), messageCases(), bodyCases())
)

func call(name, path string, message []byte, more ...string) wireCase {
	return wireCase{name: name, send: func(w *wire) { w.call(1, path, 0, message, more...) }}
}

func frame(name string, send func(w *wire)) wireCase {
	return wireCase{name: "frame: " + name, isGentle: true, send: send}
}

func raw(kind http2.FrameType, flags http2.Flags, stream uint32, payload string) func(w *wire) {
	return func(w *wire) { _ = w.framer.WriteRawFrame(kind, flags, stream, []byte(payload)) }
}

var frameCases = []wireCase{
	{name: "preface: cut short by the end of a line", isRaw: true, isGentle: true,
		send: func(w *wire) { fmt.Fprint(w.conn, "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n") }},
	{name: "preface: without SETTINGS", isRaw: true, isGentle: true, send: func(w *wire) {
		fmt.Fprint(w.conn, http2.ClientPreface)
		_ = w.framer.WritePing(false, [8]byte{})
	}},
	frame("DATA on stream 0", raw(http2.FrameData, 0, 0, "x")),
	frame("DATA larger than announced", raw(http2.FrameData, 0, 1, strings.Repeat("x", 16385))),
	frame("DATA with more padding than data", func(w *wire) {
		w.open(1, false, requestFields(rangePath)...)
		_ = w.framer.WriteRawFrame(http2.FrameData, http2.FlagDataPadded, 1, []byte("\xffx"))
	}),
	frame("HEADERS on stream 0", func(w *wire) { w.open(0, true, requestFields(rangePath)...) }),
	frame("HEADERS on an even stream", func(w *wire) { w.open(2, true, requestFields(rangePath)...) }),
	frame("HEADERS on a stream below the last", func(w *wire) {
		w.call(7, rangePath, 0, keyA)
		w.call(5, rangePath, 0, keyA)
	}),
	frame("HEADERS that are no HPACK", raw(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 1, "\xff\xff\xff\xff\xff\xff")),
	frame("HEADERS with an index that is not there", raw(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 1, "\xfe")),
	frame("CONTINUATION without HEADERS", raw(http2.FrameContinuation, http2.FlagContinuationEndHeaders, 1, "\x82")),
	frame("PING between HEADERS and CONTINUATION", func(w *wire) {
		_ = w.framer.WriteRawFrame(http2.FrameHeaders, 0, 1, []byte("\x83"))
		_ = w.framer.WritePing(false, [8]byte{1})
	}),
	frame("PING of 7 bytes", raw(http2.FramePing, 0, 0, "1234567")),
	frame("PING on a stream", raw(http2.FramePing, 0, 1, "12345678")),
	frame("SETTINGS of 5 bytes", raw(http2.FrameSettings, 0, 0, "12345")),
	frame("SETTINGS on a stream", raw(http2.FrameSettings, 0, 1, "")),
	frame("SETTINGS acknowledged with a payload", raw(http2.FrameSettings, http2.FlagSettingsAck, 0, "123456")),
	frame("SETTINGS with a window over 2^31-1", raw(http2.FrameSettings, 0, 0, "\x00\x04\xff\xff\xff\xff")),
	frame("SETTINGS nobody knows", raw(http2.FrameSettings, 0, 0, "\x4f\x4f\x00\x00\x00\x01")),
	frame("WINDOW_UPDATE of 3 bytes", raw(http2.FrameWindowUpdate, 0, 0, "123")),
	frame("WINDOW_UPDATE of 0 for the connection", raw(http2.FrameWindowUpdate, 0, 0, "\x00\x00\x00\x00")),
	frame("WINDOW_UPDATE of 0 for a stream", func(w *wire) {
		w.open(1, false, requestFields(rangePath)...)
		_ = w.framer.WriteRawFrame(http2.FrameWindowUpdate, 0, 1, []byte("\x00\x00\x00\x00"))
	}),
	frame("RST_STREAM on stream 0", raw(http2.FrameRSTStream, 0, 0, "\x00\x00\x00\x08")),
	frame("RST_STREAM of 3 bytes", raw(http2.FrameRSTStream, 0, 1, "123")),
	frame("GOAWAY on a stream", raw(http2.FrameGoAway, 0, 1, "\x00\x00\x00\x00\x00\x00\x00\x00")),
	frame("PRIORITY of 4 bytes", raw(http2.FramePriority, 0, 1, "1234")),
	frame("of a kind nobody knows", raw(http2.FrameType(0x42), 0, 0, "what")),
	{name: "frame: an empty DATA before and after the message", send: func(w *wire) {
		w.open(1, false, requestFields(rangePath)...)
		w.data(1, false, nil)
		w.data(1, false, prefixed(0, len(keyA), keyA))
		w.data(1, true, nil)
	}},
	{name: "frame: a message, one byte a frame", send: func(w *wire) {
		w.open(1, false, requestFields(rangePath)...)
		for _, one := range prefixed(0, len(keyA), keyA) {
			w.data(1, false, []byte{one})
		}
		w.data(1, true, nil)
	}},
	{name: "frame: a header block in three CONTINUATIONs", send: func(w *wire) {
		w.opened[1] = true
		block := w.headerBlock(requestFields(rangePath)...)
		_ = w.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:1]})
		_ = w.framer.WriteContinuation(1, false, block[1:2])
		_ = w.framer.WriteContinuation(1, false, nil)
		_ = w.framer.WriteContinuation(1, true, block[2:])
		w.data(1, true, prefixed(0, len(keyA), keyA))
	}},
	{name: "frame: a stream reset, the next one is answered", send: func(w *wire) {
		w.open(1, false, requestFields(rangePath)...)
		_ = w.framer.WriteRSTStream(1, http2.ErrCodeCancel)
		delete(w.opened, 1)
		w.call(3, rangePath, 0, keyA)
	}},
}

func headers(name string, pairs ...string) wireCase {
	return wireCase{name: "headers: " + name, send: func(w *wire) {
		w.open(1, false, pairs...)
		w.data(1, true, prefixed(0, len(keyA), keyA))
	}}
}

// The usual ones with one replaced ("" takes it away), and more behind them.
func changed(name, value string, more ...string) []string {
	var pairs []string
	usual := requestFields(rangePath)
	for i := 0; i < len(usual); i += 2 {
		if usual[i] != name {
			pairs = append(pairs, usual[i], usual[i+1])
		} else if value != "" {
			pairs = append(pairs, name, value)
		}
	}
	return append(pairs, more...)
}

var headerCases = []wireCase{
	headers("method GET", changed(":method", "GET")...),
	headers("method PUT", changed(":method", "PUT")...),
	headers("no method", changed(":method", "")...),
	headers("no path", changed(":path", "")...),
	headers("no scheme", changed(":scheme", "")...),
	headers("no authority", changed(":authority", "")...),
	headers("no authority but a host", changed(":authority", "", "host", "h")...),
	headers("no te", changed("te", "")...),
	headers("te gzip", changed("te", "gzip")...),
	headers("no content-type", changed("content-type", "")...),
	headers("content-type text/plain", changed("content-type", "text/plain")...),
	headers("content-type application/grpcx", changed("content-type", "application/grpcx")...),
	headers("content-type application/grpc+json", changed("content-type", "application/grpc+json")...),
	headers("content-type APPLICATION/GRPC", changed("content-type", "APPLICATION/GRPC")...),
	headers("path without a slash in front", changed(":path", "etcdserverpb.KV/Range")...),
	headers("path of one part", changed(":path", "/bad")...),
	headers("path of three parts", changed(":path", "/a/b/c")...),
	headers("path that ends with a slash", changed(":path", "/etcdserverpb.KV/")...),
	headers("path /", changed(":path", "/")...),
	headers("path *", changed(":path", "*")...),
	headers("unknown method", changed(":path", "/etcdserverpb.KV/Nope")...),
	headers("method in small letters", changed(":path", "/etcdserverpb.KV/range")...),
	headers("unknown service", changed(":path", "/no.Service/Range")...),
	headers("unknown with percent and quotes", changed(":path", "/no.%22\"é/Ra nge")...),
	headers("grpc-timeout 5x", append(requestFields(rangePath), "grpc-timeout", "5x")...),
	headers("grpc-timeout empty", append(requestFields(rangePath), "grpc-timeout", "")...),
	headers("grpc-timeout of nine digits", append(requestFields(rangePath), "grpc-timeout", "123456789S")...),
	headers("grpc-timeout 99999999H", append(requestFields(rangePath), "grpc-timeout", "99999999H")...),
	headers("grpc-encoding snappy, nothing compressed", append(requestFields(rangePath), "grpc-encoding", "snappy")...),
	headers("metadata -bin that is no base64", append(requestFields(rangePath), "x-bin", "!!!")...),
	headers("metadata with UTF-8", append(requestFields(rangePath), "x", "é")...),
	headers("metadata in large letters", append(requestFields(rangePath), "X-Large", "1")...),
	headers("metadata with a line end", append(requestFields(rangePath), "x", "a\r\nb")...),
	headers("metadata with a zero byte", append(requestFields(rangePath), "x", "a\x00b")...),
	headers("metadata of 8 KiB", append(requestFields(rangePath), "x", strings.Repeat("v", 8192))...),
	headers("hasleader true", append(requestFields(rangePath), "hasleader", "true")...),
	headers("none of the usual ones", "x", "y"),
	headers("connection: close", append(requestFields(rangePath), "connection", "close")...),
	headers("method twice", append([]string{":method", "POST"}, requestFields(rangePath)...)...),
	headers("path twice", append([]string{":path", putPath}, requestFields(rangePath)...)...),
	headers("a pseudo-header behind the others", append(changed(":path", ""), ":path", rangePath)...),
	headers("a pseudo-header nobody knows", append([]string{":what", "x"}, requestFields(rangePath)...)...),
	headers("a token nobody gave", append(requestFields(rangePath), "token", "x.1")...),
	headers("client-api-version empty", append(requestFields(rangePath), "client-api-version", "")...),
}

// A token that nobody gave, while no user is asked for.
func tokenCases() []wireCase {
	var cases []wireCase
	for _, method := range []struct{ path, body string }{
		{putPath, "\x0a\x01t"},
		{"/etcdserverpb.KV/DeleteRange", "\x0a\x01t"},
		{txnPath, "\x12\x05\x0a\x03\x0a\x01t"},
		{txnPath, "\x12\x05\x12\x03\x0a\x01t"},
		{txnPath, ""},
		{"/etcdserverpb.KV/Compact", "\x08\x00"},
		{watchPath, "\x0a\x03\x0a\x01t"},
		{"/etcdserverpb.Lease/LeaseGrant", "\x08\x05\x10\x07"},
		{"/etcdserverpb.Lease/LeaseTimeToLive", "\x08\x07"},
		{"/etcdserverpb.Lease/LeaseLeases", ""},
		{alivePath, "\x08\x08"},
		{"/etcdserverpb.Lease/LeaseRevoke", "\x08\x07"},
		{"/etcdserverpb.Maintenance/Alarm", ""},
		{"/etcdserverpb.Maintenance/Defragment", ""},
		{"/etcdserverpb.Auth/UserList", ""},
		{"/etcdserverpb.Auth/UserGet", "\x0a\x01u"},
		{"/etcdserverpb.Auth/RoleList", ""},
		{"/etcdserverpb.Auth/RoleAdd", "\x0a\x01t"},
		{"/etcdserverpb.Auth/AuthDisable", ""},
		{"/etcdserverpb.Auth/AuthEnable", ""},
		{"/etcdserverpb.Auth/Authenticate", "\x0a\x01t\x12\x01p"},
		{"/v3lockpb.Lock/Unlock", "\x0a\x01t"},
		{"/v3electionpb.Election/Leader", "\x0a\x01t"},
	} {
		name := fmt.Sprintf("token: nobody gave it, %s %q", method.path, method.body)
		cases = append(cases, call(name, method.path, []byte(method.body), "token", "x.1"))
	}
	return cases
}

func message(name string, bytes []byte, more ...string) wireCase {
	return wireCase{name: "message: " + name, send: func(w *wire) {
		w.open(1, false, append(requestFields(rangePath), more...)...)
		w.data(1, true, bytes)
	}}
}

func messageCases() []wireCase {
	twice := append(prefixed(0, len(keyA), keyA), prefixed(0, len(keyA), keyA)...)
	return []wireCase{
		{name: "message: none", send: func(w *wire) { w.open(1, true, requestFields(rangePath)...) }},
		message("three bytes of a prefix", []byte{0, 0, 0}),
		message("cut short", prefixed(0, 100, keyA)),
		message("two", twice),
		message("one and half of a second", twice[:10]),
		message("longer than any may be", prefixed(0, 1<<31-1, keyA)),
		message("of 4 GiB - 1", prefixed(0, 1<<32-1, keyA)),
		message("flag 2", prefixed(2, len(keyA), keyA)),
		message("flag 255", prefixed(255, len(keyA), keyA)),
		message("compressed, no encoding named", prefixed(1, len(keyA), keyA)),
		message("compressed, identity", prefixed(1, len(keyA), keyA), "grpc-encoding", "identity"),
		message("compressed, snappy", prefixed(1, len(keyA), keyA), "grpc-encoding", "snappy"),
		message("compressed, gzip of rubbish", prefixed(1, len(keyA), keyA), "grpc-encoding", "gzip"),
		{name: "message: of a stream, cut short", send: func(w *wire) {
			w.open(1, false, requestFields(watchPath)...)
			w.data(1, true, prefixed(0, 100, keyA))
		}},
		{name: "message: of a stream, flag 2", send: func(w *wire) {
			w.open(1, false, requestFields(alivePath)...)
			w.data(1, true, prefixed(2, len(keyA), keyA))
		}},
		{name: "message: of a stream, too long", send: func(w *wire) {
			w.open(1, false, requestFields(watchPath)...)
			w.data(1, true, prefixed(0, 1<<30, keyA))
		}},
	}
}

func lengthDelimited(field byte, length int) []byte {
	out := []byte{field<<3 | 2}
	for ; length >= 0x80; length >>= 7 {
		out = append(out, byte(length)|0x80)
	}
	return append(out, byte(length))
}

// What is no protobuf, at the places where decoders give up.
func bodyCases() []wireCase {
	bodies := []struct {
		name  string
		bytes string
	}{
		{"field 0", "\x02\x01a"},
		{"a tag alone", "\x0a"},
		{"a tag that does not end", "\x8a\xff\xff"},
		{"a tag of eleven bytes", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"},
		{"a length beyond the end", "\x0a\x05a"},
		{"a length of 2^64-1", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"},
		{"a length of 2^63", "\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"},
		{"a number for bytes", "\x08\x01"},
		{"a fixed number for bytes", "\x09\x01\x02\x03\x04\x05\x06\x07\x08"},
		{"a number that does not end", "\x0a\x01a\x18\xff"},
		{"a number of eleven bytes", "\x0a\x01a\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"},
		{"an unknown number", "\x0a\x01a\xf8\x3f\x01"},
		{"unknown bytes", "\x0a\x01a\xfa\x3f\x03abc"},
		{"unknown bytes cut short", "\x0a\x01a\xfa\x3f\x09abc"},
		{"unknown fixed numbers", "\x0a\x01a\xfd\x3f1234\xf9\x3f12345678"},
		{"an unknown fixed number cut short", "\x0a\x01a\xf9\x3f123"},
		{"an unknown group that does not end", "\x0a\x01a\xfb\x3f"},
		{"the end of a group that did not begin", "\x0a\x01a\xfc\x3f"},
		{"wire type 6", "\x0a\x01a\x0e"},
		{"wire type 7", "\x0a\x01a\xff\x3f"},
		{"the key twice", "\x0a\x01a\x0a\x01b"},
		{"a sort order nobody knows", "\x0a\x01a\x28\x63"},
		{"a flag of 2", "\x0a\x01a\x38\x02"},
	}
	var cases []wireCase
	for _, body := range bodies {
		cases = append(cases, call("body: "+body.name, rangePath, []byte(body.bytes)))
	}
	nested := []byte{}
	for i := 0; i < 200; i++ { // Txn in Txn in Txn: success = RequestOp{txn}
		inner := append(lengthDelimited(4, len(nested)), nested...)
		nested = append(lengthDelimited(2, len(inner)), inner...)
	}
	for _, more := range []wireCase{
		call("body: rubbish for a Put", putPath, []byte("\xde\xad\xbe\xef")),
		call("body: rubbish for a Txn", txnPath, []byte("\xde\xad\xbe\xef")),
		call("body: a compare that is cut short", txnPath, []byte("\x0a\x05\x08\x01")),
		call("body: an operation without a request", txnPath, []byte("\x12\x00")),
		call("body: a compare without a target", txnPath, []byte("\x0a\x03\x1a\x01a")),
		call("body: a compare of a target nobody knows", txnPath, []byte("\x0a\x05\x10\x63\x1a\x01a")),
		call("body: a compare with a result nobody knows", txnPath, []byte("\x0a\x05\x08\x63\x1a\x01a")),
		call("body: two requests in one operation", txnPath, []byte("\x12\x0a\x0a\x03\x0a\x01a\x0a\x03\x0a\x01b")),
		call("body: 200 transactions one in the other", txnPath, nested),
		call("body: a role of bad UTF-8", roleAddPath, badUTF8),
		call("body: a role of bad UTF-8, asked for", roleGetPath, badUTF8),
		call("body: a user of bad UTF-8", userAddPath, append(badUTF8, 0x12, 1, 'p')),
		call("body: a role name of 10 KiB that is not there", roleGetPath, append(lengthDelimited(1, 10240), strings.Repeat("r", 10240)...)),
		call("body: a watch of rubbish", watchPath, []byte("\xde\xad\xbe\xef")),
		call("body: a watch that asks nothing", watchPath, nil),
		call("body: a watch with a filter nobody knows", watchPath, []byte("\x0a\x06\x0a\x01a\x2a\x01\x63")),
		call("body: a keepalive of rubbish", alivePath, []byte("\xde\xad\xbe\xef")),
		call("body: a keepalive of nothing", alivePath, nil),
		call("body: a lease of the smallest number", "/etcdserverpb.Lease/LeaseTimeToLive", []byte("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01")),
		call("body: a grant below nothing", "/etcdserverpb.Lease/LeaseGrant", []byte("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10\x05")),
		call("body: a compaction of the largest number", "/etcdserverpb.KV/Compact", []byte("\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f")),
		call("body: a compaction below nothing", "/etcdserverpb.KV/Compact", []byte("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")),
		call("body: a range at the smallest revision", rangePath, []byte("\x0a\x01a\x20\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01")),
		call("body: a range with a limit below nothing", rangePath, []byte("\x0a\x01\x00\x12\x01\x00\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")),
	} {
		cases = append(cases, more)
	}
	return cases
}

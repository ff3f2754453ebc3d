package sqsmodel

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"time"
)

// receipt is what a receipt handle says. To users it is opaque, as it is in
// AWS.
type receipt struct {
	queue uint32
	key   uint64
	lease uint32
	at    time.Time // of the receive
}

const receiptSize = 4 + 8 + 4 + 8 + 4

// handlePrefix is how AWS's handles begin.
const handlePrefix = "AQEB"

// handle makes the receipt handle of a receive.
func (q *Queue) handle(m *Message, now time.Time) string {
	var b [receiptSize]byte
	binary.BigEndian.PutUint32(b[0:], q.number)
	binary.BigEndian.PutUint64(b[4:], m.key)
	binary.BigEndian.PutUint32(b[12:], m.lease)
	binary.BigEndian.PutUint64(b[16:], uint64(now.UnixNano()))
	binary.BigEndian.PutUint32(b[24:], crc32.ChecksumIEEE(b[:24]))
	m.handle = handlePrefix + base64.StdEncoding.EncodeToString(b[:])
	return m.handle
}

// readHandle reads a receipt handle of this queue.
func (q *Queue) readHandle(handle string) (r receipt, ok bool) {
	if len(handle) != len(handlePrefix)+base64.StdEncoding.EncodedLen(receiptSize) || handle[:len(handlePrefix)] != handlePrefix {
		return r, false
	}
	var b [receiptSize + 2]byte // which decoding may touch
	n, err := base64.StdEncoding.Decode(b[:], []byte(handle[len(handlePrefix):]))
	if err != nil || n != receiptSize || binary.BigEndian.Uint32(b[24:]) != crc32.ChecksumIEEE(b[:24]) {
		return r, false
	}
	r = receipt{
		queue: binary.BigEndian.Uint32(b[0:]), key: binary.BigEndian.Uint64(b[4:]), lease: binary.BigEndian.Uint32(b[12:]),
		at: time.Unix(0, int64(binary.BigEndian.Uint64(b[16:]))),
	}
	return r, r.queue == q.number
}

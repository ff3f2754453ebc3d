package healthcheck

import (
	"encoding/binary"
	"strconv"
)

// grpcMessage returns a message as it is sent: not compressed, with its length before it.
func grpcMessage(message []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)
}

// ungrpcMessage returns the one message of an answer.
func ungrpcMessage(b []byte) ([]byte, error) {
	switch {
	case len(b) < 5:
		return nil, malformed("no message")
	case b[0] != 0:
		return nil, malformed("the message is compressed")
	case uint64(binary.BigEndian.Uint32(b[1:])) != uint64(len(b)-5):
		return nil, malformed("not one message")
	}
	return b[5:], nil
}

// parseGRPCStatus reads the value of a grpc-status.
func parseGRPCStatus(s string) (int, error) {
	code, ok := parseCode(s)
	switch {
	case s == "":
		return 0, malformed("no grpc-status")
	case !ok:
		return 0, malformed("bad grpc-status")
	}
	return code, nil
}

// The messages of grpc.health.v1 have one field each, with number 1.
// Source: https://github.com/grpc/grpc-proto/blob/master/grpc/health/v1/health.proto (read 2026-11).
const (
	serviceField = 1<<3 | 2 // a string, with its length before it
	statusField  = 1 << 3   // a varint
)

// healthCheckRequest returns a grpc.health.v1.HealthCheckRequest.
func healthCheckRequest(service string) []byte {
	if service == "" {
		return nil
	}
	return append(binary.AppendUvarint([]byte{serviceField}, uint64(len(service))), service...)
}

// servingStatus is what a grpc.health.v1.HealthCheckResponse says.
type servingStatus uint64

const (
	statusUnknown servingStatus = iota
	statusServing
	statusNotServing
	statusServiceUnknown
)

func (s servingStatus) String() string {
	switch s {
	case statusUnknown:
		return "UNKNOWN"
	case statusServing:
		return "SERVING"
	case statusNotServing:
		return "NOT_SERVING"
	case statusServiceUnknown:
		return "SERVICE_UNKNOWN"
	}
	return strconv.FormatUint(uint64(s), 10)
}

// parseHealthCheckResponse reads a grpc.health.v1.HealthCheckResponse. Fields that it does not know are passed over, and the
// last of several is the one that counts, as protocol buffers have it.
func parseHealthCheckResponse(b []byte) (status servingStatus, err error) {
	bad := malformed("bad HealthCheckResponse")
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 || tag>>3 == 0 {
			return 0, bad
		}
		b = b[n:]
		var size uint64
		switch tag & 7 {
		case 0:
			value, n := binary.Uvarint(b)
			if n <= 0 {
				return 0, bad
			}
			if tag == statusField {
				status = servingStatus(value)
			}
			size = uint64(n)
		case 1:
			size = 8
		case 2:
			length, n := binary.Uvarint(b)
			if n <= 0 || length > uint64(len(b)) {
				return 0, bad
			}
			size = uint64(n) + length
		case 5:
			size = 4
		default: // groups are not of proto3
			return 0, bad
		}
		if size > uint64(len(b)) {
			return 0, bad
		}
		b = b[size:]
	}
	return status, nil
}

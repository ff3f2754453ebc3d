package s3svc_test

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// base64Sum is a checksum as S3 writes it.
type base64Sum string

func (s base64Sum) raw() []byte {
	raw, _ := base64.StdEncoding.DecodeString(string(s))
	return raw
}

// reference makes a checksum, in the simplest way.
func reference(algorithm string, data []byte) base64Sum {
	var raw []byte
	switch algorithm {
	case "CRC32":
		raw = binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(data))
	case "CRC32C":
		raw = binary.BigEndian.AppendUint32(nil, crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
	case "CRC64NVME":
		raw = binary.BigEndian.AppendUint64(nil, crc64nvme(data))
	case "MD5":
		s := md5.Sum(data)
		raw = s[:]
	case "SHA1":
		s := sha1.Sum(data)
		raw = s[:]
	case "SHA256":
		s := sha256.Sum256(data)
		raw = s[:]
	case "SHA512":
		s := sha512.Sum512(data)
		raw = s[:]
	}
	return base64Sum(base64.StdEncoding.EncodeToString(raw))
}

// crc64nvme goes bit by bit.
func crc64nvme(data []byte) uint64 {
	crc := ^uint64(0)
	for _, b := range data {
		crc ^= uint64(b)
		for range 8 {
			low := crc & 1
			crc >>= 1
			if low == 1 {
				crc ^= 0x9a6c9329ac4bc9b5
			}
		}
	}
	return ^crc
}

// sumOf returns the checksum of an algorithm in an output.
func sumOf(out any, algorithm string) string {
	return aws.ToString(reflect.ValueOf(out).Elem().FieldByName("Checksum" + algorithm).Interface().(*string))
}

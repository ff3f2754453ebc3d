package s3svc

import (
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/s3model"
)

// algorithms are what the members of inputs and outputs are named after, such
// as ChecksumCRC32; the last three are not modelled.
func algorithms() []s3model.Algorithm {
	return []s3model.Algorithm{
		s3model.CRC32, s3model.CRC32C, s3model.CRC64NVME, s3model.MD5, s3model.SHA1, s3model.SHA256, s3model.SHA512,
		"XXHASH3", "XXHASH64", "XXHASH128",
	}
}

// checksumFields names the members for the checksums of an input.
func checksumFields(others ...string) []string {
	for _, a := range algorithms() {
		others = append(others, "Checksum"+string(a))
	}
	return others
}

// sent returns the checksum that came with a body, from the caller or from
// the SDK: in a header or behind the body.
func sent(call *awstest.Call) (sum s3model.Checksum, err error) {
	return one(call, func(a s3model.Algorithm) string { return call.Header.Get("X-Amz-Checksum-" + string(a)) })
}

// given returns the checksum that an input tells.
func given(call *awstest.Call, in any) (sum s3model.Checksum, err error) {
	v := reflect.ValueOf(in).Elem()
	return one(call, func(a s3model.Algorithm) string {
		return aws.ToString(v.FieldByName("Checksum" + string(a)).Interface().(*string))
	})
}

// one returns the one checksum that there is, if there is one.
func one(call *awstest.Call, look func(s3model.Algorithm) string) (sum s3model.Checksum, err error) {
	for _, a := range algorithms() {
		value := look(a)
		if value == "" {
			continue
		}
		if sum.Algorithm != "" {
			return sum, s3model.Invalid("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
		}
		if _, err := algorithm(call, a); err != nil {
			return sum, err
		}
		sum = s3model.Checksum{Algorithm: a, Value: value}
	}
	return sum, nil
}

// algorithm refuses an algorithm that is not modelled.
func algorithm[T ~string](call *awstest.Call, name T) (s3model.Algorithm, error) {
	if a := s3model.Algorithm(name); a == "" || a.Modelled() {
		return a, nil
	}
	return "", call.NotModelled("checksum algorithm %s", name)
}

// show fills a checksum into an output.
func show(sum s3model.Checksum, out any) {
	if sum.Algorithm != "" {
		reflect.ValueOf(out).Elem().FieldByName("Checksum" + string(sum.Algorithm)).Set(reflect.ValueOf(aws.String(sum.Value)))
	}
}

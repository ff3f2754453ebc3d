package s3model

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/awsha/awsha/awstest"
)

// checkName holds the name of a bucket against the rules for general purpose
// buckets.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html (read 2026-11)
func checkName(name string) error {
	ok := len(name) >= 3 && len(name) <= 63 && !strings.Contains(name, "..")
	for _, c := range name {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-')
	}
	for _, edge := range []string{".", "-"} {
		ok = ok && !strings.HasPrefix(name, edge) && !strings.HasSuffix(name, edge)
	}
	if _, err := netip.ParseAddr(name); err == nil {
		ok = false
	}
	for _, prefix := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		ok = ok && !strings.HasPrefix(name, prefix)
	}
	for _, suffix := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		ok = ok && !strings.HasSuffix(name, suffix)
	}
	if !ok {
		return awstest.Errorf("InvalidBucketName", "The specified bucket is not valid.")
	}
	return nil
}

// CheckKey holds a key against the rules.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html (read 2026-11)
func CheckKey(key string) error {
	const longest = 1024 // bytes of UTF-8
	switch {
	case len(key) > longest:
		return awstest.Errorf("KeyTooLongError", "Your key is too long")
	case !utf8.ValidString(key):
		return awstest.Errorf("InvalidURI", "Couldn't parse the specified URI.")
	}
	return nil
}

package s3model

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/awsha/awsha/awstest"
)

// Tag is a tag of an object.
type Tag struct{ Key, Value string }

// CheckTags holds tags of an object against the rules.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html (read 2026-11)
func CheckTags(tags []Tag) error {
	const most, longestKey, longestValue = 10, 128, 256
	if len(tags) > most {
		return awstest.Errorf("BadRequest", "Object tags cannot be greater than %d", most)
	}
	for i, t := range tags {
		switch {
		case t.Key == "" || utf8.RuneCountInString(t.Key) > longestKey:
			return awstest.Errorf("InvalidTag", "The TagKey you have provided is invalid")
		case utf8.RuneCountInString(t.Value) > longestValue:
			return awstest.Errorf("InvalidTag", "The TagValue you have provided is invalid")
		case strings.HasPrefix(t.Key, "aws:"):
			return awstest.Errorf("InvalidTag", "System tags cannot be added/updated by requester")
		case slices.ContainsFunc(tags[:i], func(u Tag) bool { return u.Key == t.Key }):
			return awstest.Errorf("InvalidTag", "Cannot provide multiple Tags with the same key")
		}
	}
	return nil
}

// ParseTags reads tags out of a header: a query of a URL.
func ParseTags(header string) ([]Tag, error) {
	values, err := url.ParseQuery(header)
	if err != nil {
		return nil, badTagHeader()
	}
	var tags []Tag
	for k, v := range values {
		if len(v) != 1 {
			return nil, badTagHeader()
		}
		tags = append(tags, Tag{k, v[0]})
	}
	slices.SortFunc(tags, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
	return tags, CheckTags(tags)
}

func badTagHeader() error {
	return InvalidArgument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
}

// SetTags replaces the tags of a version; its replicas follow.
func (b *Bucket) SetTags(tx *awstest.Tx, v *Version, tags []Tag) error {
	if err := CheckTags(tags); err != nil {
		return err
	}
	v.Tags = slices.Clone(tags)
	b.replicateTags(tx, v)
	return nil
}

package asgmodel

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/awsha/awsha/awstest"
)

// Limits of tags.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html (read 2026-11)
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

func checkTag(t Tag) error {
	switch {
	case t.Key == "" || utf8.RuneCountInString(t.Key) > maxTagKey:
		return invalid("Tag keys must have from 1 to %d characters", maxTagKey)
	case utf8.RuneCountInString(t.Value) > maxTagValue:
		return invalid("Tag values must have at most %d characters", maxTagValue)
	case strings.HasPrefix(t.Key, "aws:"):
		return invalid("The tag key %s must not begin with aws:", t.Key)
	}
	return nil
}

// withTag returns tags with one set, in place of what had its key.
func withTag(tags []Tag, t Tag) ([]Tag, error) {
	if err := checkTag(t); err != nil {
		return nil, err
	}
	tags = slices.Clone(tags)
	for i := range tags {
		if tags[i].Key == t.Key {
			tags[i] = t
			return tags, nil
		}
	}
	if len(tags) >= maxTags {
		return nil, awstest.Errorf("LimitExceeded", "A resource can have at most %d tags", maxTags)
	}
	return append(tags, t), nil
}

// Tags returns the tags with those given set.
func Tags(list []Tag) (tags []Tag, err error) {
	for _, t := range list {
		if tags, err = withTag(tags, t); err != nil {
			return nil, err
		}
	}
	return tags, nil
}

// GroupTag is a tag with the group that it is of.
type GroupTag struct {
	Group string
	Tag
}

// SetTags sets tags of groups: all, or none. Instances that are there do not
// get them.
func (r *Region) SetTags(tx *awstest.Tx, list []GroupTag) error {
	changed := map[string][]Tag{}
	for _, t := range list {
		tags, err := r.tagsOf(tx, changed, t.Group)
		if err != nil {
			return err
		}
		if changed[t.Group], err = withTag(tags, t.Tag); err != nil {
			return err
		}
	}
	for name, tags := range changed {
		r.change(tx, name, func(g *Group) { g.Tags = tags })
	}
	return nil
}

// RemoveTags removes tags of groups, by their keys.
func (r *Region) RemoveTags(tx *awstest.Tx, list []GroupTag) error {
	changed := map[string][]Tag{}
	for _, t := range list {
		tags, err := r.tagsOf(tx, changed, t.Group)
		if err != nil {
			return err
		}
		changed[t.Group] = slices.DeleteFunc(slices.Clone(tags), func(o Tag) bool { return o.Key == t.Key })
	}
	for name, tags := range changed {
		r.change(tx, name, func(g *Group) { g.Tags = tags })
	}
	return nil
}

func (r *Region) tagsOf(tx *awstest.Tx, changed map[string][]Tag, name string) ([]Tag, error) {
	if tags, ok := changed[name]; ok {
		return tags, nil
	}
	g, err := r.changeable(tx, name)
	if err != nil {
		return nil, err
	}
	return g.Tags, nil
}

package ec2svc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
)

// tagList makes tags of keys and values; a key without a value has nil.
func tagList(pairs ...string) (list []types.Tag) {
	for _, pair := range pairs {
		key, value, found := strings.Cut(pair, "=")
		tag := types.Tag{Key: &key}
		if found {
			tag.Value = &value
		}
		list = append(list, tag)
	}
	return list
}

func (w *world) tags(filters ...types.Filter) (list []string) {
	w.Helper()
	for _, t := range must(w.DescribeTags(w.Context(), &ec2.DescribeTagsInput{Filters: filters}))(w).Tags {
		list = append(list, fmt.Sprintf("%s %s %s=%s", *t.ResourceId, t.ResourceType, *t.Key, *t.Value))
	}
	return list
}

func TestTags(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id, nic, a := w.launch(zoneA), w.nic(zoneA), w.allocate()
		all := []string{id, nic, a}
		create := func(pairs ...string) {
			w.Helper()
			must(w.CreateTags(w.Context(), &ec2.CreateTagsInput{Resources: all, Tags: tagList(pairs...)}))(w)
		}
		remove := func(pairs ...string) {
			w.Helper()
			must(w.DeleteTags(w.Context(), &ec2.DeleteTagsInput{Resources: all, Tags: tagList(pairs...)}))(w)
		}
		want := func(filters []types.Filter, want ...string) {
			w.Helper()
			if diff := cmp.Diff(want, w.tags(filters...)); diff != "" {
				w.Error(diff)
			}
		}
		create("role=web", "empty")
		create("role=db")
		want(nil, id+" instance empty=", id+" instance role=db", nic+" network-interface empty=", nic+" network-interface role=db", a+" elastic-ip empty=", a+" elastic-ip role=db")
		want([]types.Filter{filter("resource-type", "elastic-ip"), filter("key", "r*")}, a+" elastic-ip role=db")
		want([]types.Filter{filter("resource-id", nic), filter("value", "")}, nic+" network-interface empty=")
		want([]types.Filter{filter("tag:role", "db"), filter("resource-id", id)}, id+" instance role=db")
		remove("role=web") // another value: it stays
		want([]types.Filter{filter("key", "role"), filter("resource-id", id)}, id+" instance role=db")
		remove("role=db", "empty=")
		want(nil)
		create("a=1", "b=2")
		remove("a")
		want([]types.Filter{filter("resource-id", a)}, a+" elastic-ip b=2")
		remove() // all
		want(nil)
	})
}

func TestTagRules(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id, a := w.launch(zoneA), w.allocate()
		for name, c := range map[string]struct {
			resources []string
			tags      []types.Tag
			code      string
		}{
			"no tags":                  {[]string{id}, []types.Tag{}, "MissingParameter"},
			"no resources":             {[]string{}, tagList("a=b"), "MissingParameter"},
			"empty key":                {[]string{id}, tagList("=b"), "InvalidTagKey.Malformed"},
			"no key":                   {[]string{id}, []types.Tag{{Value: aws.String("b")}}, "InvalidTagKey.Malformed"},
			"key of AWS":               {[]string{id}, tagList("AWS:x=b"), "InvalidTagKey.Malformed"},
			"key too long":             {[]string{id}, tagList(strings.Repeat("é", 129) + "=b"), "InvalidParameterValue"},
			"value too long":           {[]string{id}, tagList("a=" + strings.Repeat("é", 257)), "InvalidParameterValue"},
			"resource that is no ID":   {[]string{id, "web"}, tagList("a=b"), "InvalidID"},
			"resource that is unknown": {[]string{id, "i-12345678"}, tagList("a=b"), "InvalidInstanceID.NotFound"},
			"address that is unknown":  {[]string{id, "eipalloc-12345678"}, tagList("a=b"), "InvalidAllocationID.NotFound"},
		} {
			_, err := w.CreateTags(w.Context(), &ec2.CreateTagsInput{Resources: c.resources, Tags: c.tags})
			wantCode(w, err, c.code)
			if got := w.tags(); got != nil {
				w.Errorf("%s: there are tags: %v", name, got)
			}
		}
		_, err := w.DeleteTags(w.Context(), &ec2.DeleteTagsInput{Resources: []string{"eni-12345678"}})
		wantCode(w, err, "InvalidNetworkInterfaceID.NotFound")
		_, err = w.AllocateAddress(w.Context(), &ec2.AllocateAddressInput{TagSpecifications: tags(types.ResourceTypeElasticIp, "aws:a", "b")})
		wantCode(w, err, "InvalidTagKey.Malformed")

		must(w.CreateTags(w.Context(), &ec2.CreateTagsInput{Resources: []string{id}, Tags: tagList(strings.Repeat("é", 128) + "=" + strings.Repeat("é", 256))}))(w)
		for n := range 49 {
			must(w.CreateTags(w.Context(), &ec2.CreateTagsInput{Resources: []string{id}, Tags: tagList(fmt.Sprint("key", n, "=x"))}))(w)
		}
		_, err = w.CreateTags(w.Context(), &ec2.CreateTagsInput{Resources: []string{a, id}, Tags: tagList("one-more=x")})
		wantCode(w, err, "TagLimitExceeded")
		must(w.CreateTags(w.Context(), &ec2.CreateTagsInput{Resources: []string{id}, Tags: tagList("key7=y")}))(w)
		if got := w.tags(filter("resource-id", a)); got != nil {
			w.Errorf("a refused call left %v", got)
		}
	})
}

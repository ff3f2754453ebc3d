package conformance_test

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions (read 2026-11)
var tagScenarios = []scenario{
	{
		name: "tags are made, overwritten and deleted",
		run: func(s *session) {
			a, eni := s.allocate("the address"), s.nics("the interface")[0]
			s.call(s.mark, "MARK")
			both := []string{a, eni}
			create := func(tags ...types.Tag) error {
				_, err := s.ec2.CreateTags(s.Context(), &ec2.CreateTagsInput{Resources: both, Tags: tags})
				return err
			}
			remove := func(tags ...types.Tag) error {
				_, err := s.ec2.DeleteTags(s.Context(), &ec2.DeleteTagsInput{Resources: both, Tags: tags})
				return err
			}
			shows := func(when, want string) {
				s.Helper()
				for _, id := range both {
					s.shows("tags of "+s.told(id)+" "+when, want, func() string { return s.told(s.tags("resource-id", id)) })
				}
			}
			s.accepted("creating", create(tag("role", "web"), tag("empty", "")))
			shows("after creating", "awsha-conformance=MARK, empty=, role=web")
			s.accepted("overwriting", create(tag("role", "db")))
			shows("after overwriting", "awsha-conformance=MARK, empty=, role=db")
			s.accepted("deleting with another value", remove(tag("role", "web")))
			shows("after deleting with another value", "awsha-conformance=MARK, empty=, role=db")
			s.accepted("deleting with the value", remove(tag("role", "db")))
			shows("after deleting with the value", "awsha-conformance=MARK, empty=")
			s.accepted("deleting by the key", remove(types.Tag{Key: tag("empty", "").Key}))
			shows("after deleting by the key", "awsha-conformance=MARK")
			s.accepted("deleting what is not there", remove(tag("role", "db")))
			s.accepted("deleting all", remove())
			shows("after deleting all", "nothing")
		},
		differs: []difference{
			{on: motoName, at: "tags of the address after deleting all", does: "awsha-conformance=MARK"},
			{on: motoName, at: "tags of the interface after deleting all", does: "awsha-conformance=MARK"},
		},
	},
	{
		name: "tags are found by filters",
		run: func(s *session) {
			m, a := s.launch("the instance"), s.allocate("the address")
			must(s.ec2.CreateTags(s.Context(), &ec2.CreateTagsInput{Resources: []string{m.id, a}, Tags: []types.Tag{tag("role", "web")}}))(s)
			s.call(s.mark, "MARK")
			marked, role := markKey+"=MARK", "role=web"
			for _, c := range []struct {
				want    string
				filters []string
			}{
				{marked + ", " + role, []string{"resource-id", a}},
				{role, []string{"resource-id", a, "key", "ro*"}},
				{role, []string{"resource-id", a, "value", "web"}},
				{role, []string{"resource-id", a, "tag:role", "web"}},
				{role + ", " + role, []string{"resource-id", a + "," + m.id, "key", "role"}},
				{role, []string{"resource-id", a + "," + m.id, "key", "role", "resource-type", "elastic-ip"}},
				{role, []string{"resource-id", a + "," + m.id, "key", "role", "resource-type", "instance"}},
				{"nothing", []string{"resource-id", a, "key", "none"}},
			} {
				s.shows("by "+s.told(spelt(c.filters)), c.want, func() string { return s.told(s.tags(c.filters...)) })
			}
		},
		differs: []difference{
			{on: motoName, at: "by resource-id=the address and tag:role=web", does: "awsha-conformance=MARK, role=web"},
			{on: motoName, at: "by resource-id=the address,the instance and key=role and resource-type=elastic-ip", does: "nothing"},
		},
	},
	{
		name: "tags have limits",
		run: func(s *session) {
			a, b := s.allocate("the address"), s.allocate("the full address")
			create := func(id string, tags ...types.Tag) error {
				_, err := s.ec2.CreateTags(s.Context(), &ec2.CreateTagsInput{Resources: []string{id}, Tags: tags})
				return err
			}
			// The page of errors has the first code for a key, accounts answer with the second.
			s.refused("an empty key", create(a, tag("", "x")), "InvalidTagKey.Malformed", "InvalidParameterValue")
			s.refused("a key of AWS", create(a, tag("aws:x", "x")), "InvalidTagKey.Malformed", "InvalidParameterValue")
			s.refused("a key that is too long", create(a, tag(strings.Repeat("k", 129), "x")), "InvalidParameterValue")
			s.refused("a value that is too long", create(a, tag("k", strings.Repeat("v", 257))), "InvalidParameterValue")
			s.refused("no tags", create(a, []types.Tag{}...), "MissingParameter")
			s.refused("an unknown instance", create("i"+unknown, tag("k", "v")), "InvalidInstanceID.NotFound")
			s.refused("an unknown address", create("eipalloc"+unknown, tag("k", "v")), "InvalidAllocationID.NotFound")
			s.refused("an unknown interface", create("eni"+unknown, tag("k", "v")), "InvalidNetworkInterfaceID.NotFound")
			s.refused("what is no ID", create("web", tag("k", "v")), "InvalidID")
			s.is("number of tags after refusals", fmt.Sprint(len(s.address(a).Tags)), "1")

			s.accepted("a long key and value", create(a, tag(strings.Repeat("k", 128), strings.Repeat("v", 256))))
			var most []types.Tag
			for n := range 49 { // it has one
				most = append(most, tag(fmt.Sprint("key", n), "x"))
			}
			s.accepted("the fiftieth tag", create(b, most...))
			s.refused("the fifty-first tag", create(b, tag("one more", "x")), "TagLimitExceeded")
			s.accepted("overwriting one of fifty", create(b, tag("key7", "y")))
			s.shows("number of tags", "50", func() string { return fmt.Sprint(len(s.address(b).Tags)) })
		},
		differs: []difference{
			{on: motoName, at: "an empty key", does: "accepted"},
			{on: motoName, at: "a key of AWS", does: "accepted"},
			{on: motoName, at: "a key that is too long", does: "accepted"},
			{on: motoName, at: "a value that is too long", does: "accepted"},
			{on: motoName, at: "no tags", does: "accepted"},
			{on: motoName, at: "an unknown instance", does: "accepted"},
			{on: motoName, at: "an unknown address", does: "accepted"},
			{on: motoName, at: "an unknown interface", does: "accepted"},
			{on: motoName, at: "number of tags after refusals", does: "5"},
		},
	},
}

// tags tells the tags that match filters.
func (s *session) tags(pairs ...string) string {
	out, err := s.ec2.DescribeTags(s.Context(), &ec2.DescribeTagsInput{Filters: filters(pairs...)})
	if err != nil {
		return outcome(err)
	}
	var list []string
	for _, t := range out.Tags {
		list = append(list, told(t.Key)+"="+aws.ToString(t.Value))
	}
	return s.set(list)
}

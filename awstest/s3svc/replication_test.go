package s3svc_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

const (
	replicas = "replicas" // the bucket in the other region
	lag      = 15 * time.Second
	role     = "arn:aws:iam::123456789012:role/replication"
)

// rule replicates everything, delete markers included.
func rule(change ...func(*types.ReplicationRule)) types.ReplicationRule {
	r := types.ReplicationRule{
		ID: aws.String("all"), Status: types.ReplicationRuleStatusEnabled, Priority: aws.Int32(1), Filter: &types.ReplicationRuleFilter{Prefix: aws.String("")},
		DeleteMarkerReplication: &types.DeleteMarkerReplication{Status: types.DeleteMarkerReplicationStatusEnabled},
		Destination:             &types.Destination{Bucket: aws.String("arn:aws:s3:::" + replicas)},
	}
	for _, fn := range change {
		fn(&r)
	}
	return r
}

func (w *world) replicate(rules ...types.ReplicationRule) error {
	_, err := w.PutBucketReplication(w.Context(), &s3.PutBucketReplicationInput{
		Bucket: aws.String(name), ReplicationConfiguration: &types.ReplicationConfiguration{Role: aws.String(role), Rules: rules},
	})
	return err
}

// replicating is a world with two versioned buckets and rules between them.
func replicating(t *testing.T, test func(*world), rules ...types.ReplicationRule) {
	t.Helper()
	inBubble(t, func(w *world) {
		w.abroad(replicas)
		w.versioning("Enabled")
		if err := version(w.Context(), w.elsewhere, replicas, "Enabled"); err != nil {
			w.Fatal(err)
		}
		w.put("before", "text")
		if err := w.replicate(rules...); err != nil {
			w.Fatal(err)
		}
		test(w)
	})
}

// replica returns what the destination holds, or the code of the error.
func (w *world) replica(key string) string {
	w.Helper()
	out, err := w.elsewhere.GetObject(w.Context(), &s3.GetObjectInput{Bucket: aws.String(replicas), Key: &key})
	if err != nil {
		return code(err)
	}
	return string(svctest.Must(io.ReadAll(out.Body))(w))
}

// status returns the replication status of a key at the source.
func (w *world) status(key string) string {
	w.Helper()
	return string(w.head(key).ReplicationStatus)
}

func TestReplicationTakesItsTime(t *testing.T) {
	t.Parallel()
	replicating(t, func(w *world) {
		start := time.Now()
		put := w.put("key", "text", func(in *s3.PutObjectInput) {
			in.Metadata, in.Tagging, in.ChecksumAlgorithm = map[string]string{"by": "me"}, aws.String("a=1"), "SHA256"
		})
		source := w.head("key")
		if source.ReplicationStatus != types.ReplicationStatusPending || w.replica("key") != "NoSuchKey" {
			w.Errorf("at once: %s, %s", source.ReplicationStatus, w.replica("key"))
		}
		sleep(lag - time.Since(start) - 5*time.Millisecond)
		if w.status("key") != "PENDING" {
			w.Errorf("a moment before: %s", w.status("key"))
		}
		sleep(5 * time.Millisecond)
		if w.status("key") != "COMPLETED" || w.replica("key") != "text" {
			w.Errorf("after %v: %s, %s", time.Since(start), w.status("key"), w.replica("key"))
		}
		replica := svctest.Must(w.elsewhere.HeadObject(w.Context(), &s3.HeadObjectInput{Bucket: aws.String(replicas), Key: aws.String("key"), ChecksumMode: "ENABLED"}))(w)
		if replica.ReplicationStatus != types.ReplicationStatusReplica || *replica.VersionId != *put.VersionId || *replica.ETag != *put.ETag || !replica.LastModified.Equal(*source.LastModified) ||
			replica.Metadata["by"] != "me" || *replica.TagCount != 1 || *replica.ChecksumSHA256 != *put.ChecksumSHA256 {
			w.Errorf("%v", *replica)
		}
		// What was there before the rule is not replicated.
		if w.status("before") != "" || w.replica("before") != "NoSuchKey" {
			w.Errorf("before: %s, %s", w.status("before"), w.replica("before"))
		}
	}, rule())
}

func TestReplicationOfEveryWayToWrite(t *testing.T) {
	t.Parallel()
	replicating(t, func(w *world) {
		for how, write := range writes {
			if err := write(w, nil, nil); err != nil {
				w.Errorf("%s: %v", how, err)
			}
			etag := w.head("key").ETag
			sleep(lag)
			out := svctest.Must(w.elsewhere.HeadObject(w.Context(), &s3.HeadObjectInput{Bucket: aws.String(replicas), Key: aws.String("key")}))(w)
			if *out.ETag != *etag || w.replica("key") != "mine" {
				w.Errorf("%s: %s, want %s", how, *out.ETag, *etag)
			}
			w.remove("key", "")
			sleep(lag)
			if got := w.replica("key"); got != "NoSuchKey" {
				w.Errorf("%s, deleted: %s", how, got)
			}
		}
	}, rule())
}

func TestWhatRulesAreAbout(t *testing.T) {
	t.Parallel()
	off := &types.DeleteMarkerReplication{Status: types.DeleteMarkerReplicationStatusDisabled}
	for _, c := range []struct {
		name    string
		rules   []types.ReplicationRule
		key     string
		tags    string
		arrives bool
		markers bool
	}{
		{"everything", []types.ReplicationRule{rule()}, "key", "", true, true},
		{"an empty filter", []types.ReplicationRule{rule(func(r *types.ReplicationRule) { r.Filter = &types.ReplicationRuleFilter{} })}, "key", "", true, true},
		{"without delete markers", []types.ReplicationRule{rule(func(r *types.ReplicationRule) { r.DeleteMarkerReplication = off })}, "key", "", true, false},
		{"a prefix", []types.ReplicationRule{rule(func(r *types.ReplicationRule) { r.Filter.Prefix = aws.String("a/") })}, "a/key", "", true, true},
		{"another prefix", []types.ReplicationRule{rule(func(r *types.ReplicationRule) { r.Filter.Prefix = aws.String("a/") })}, "b/key", "", false, false},
		{"a rule that is disabled", []types.ReplicationRule{rule(func(r *types.ReplicationRule) { r.Status = "Disabled" })}, "key", "", false, false},
		{"a tag", []types.ReplicationRule{rule(func(r *types.ReplicationRule) {
			r.Filter, r.DeleteMarkerReplication = &types.ReplicationRuleFilter{Tag: &tagSet("a", "1").TagSet[0]}, off
		})}, "key", "a=1&b=2", true, false},
		{"another tag", []types.ReplicationRule{rule(func(r *types.ReplicationRule) {
			r.Filter, r.DeleteMarkerReplication = &types.ReplicationRuleFilter{Tag: &tagSet("a", "1").TagSet[0]}, off
		})}, "key", "a=2", false, false},
		{"a prefix and tags", []types.ReplicationRule{rule(func(r *types.ReplicationRule) {
			r.Filter = &types.ReplicationRuleFilter{And: &types.ReplicationRuleAndOperator{Prefix: aws.String("k"), Tags: tagSet("a", "1", "b", "2").TagSet}}
			r.DeleteMarkerReplication = off
		})}, "key", "b=2&a=1", true, false},
		{"one tag of two", []types.ReplicationRule{rule(func(r *types.ReplicationRule) {
			r.Filter = &types.ReplicationRuleFilter{And: &types.ReplicationRuleAndOperator{Tags: tagSet("a", "1", "b", "2").TagSet}}
			r.DeleteMarkerReplication = off
		})}, "key", "a=1", false, false},
		{"the rule of the higher priority", []types.ReplicationRule{
			rule(func(r *types.ReplicationRule) { r.DeleteMarkerReplication = off }),
			rule(func(r *types.ReplicationRule) { r.ID, r.Priority = aws.String("more"), aws.Int32(2) }),
		}, "key", "", true, true},
		{"not the rule of the lower priority", []types.ReplicationRule{
			rule(func(r *types.ReplicationRule) { r.DeleteMarkerReplication, r.Priority = off, aws.Int32(2) }),
			rule(func(r *types.ReplicationRule) { r.ID = aws.String("less") }),
		}, "key", "", true, false},
		{"the earlier version of the schema", []types.ReplicationRule{rule(earlier("k"))}, "key", "", true, true},
		{"one of two rules of the earlier version", []types.ReplicationRule{
			rule(earlier("x")), rule(earlier("k"), func(r *types.ReplicationRule) { r.ID = aws.String("second") }),
		}, "key", "", true, true},
		{"another prefix of the earlier version", []types.ReplicationRule{rule(earlier("x"))}, "key", "", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			replicating(t, func(w *world) {
				w.put(c.key, "text", func(in *s3.PutObjectInput) { in.Tagging = &c.tags })
				sleep(lag)
				status, want := w.status(c.key), "NoSuchKey"
				if c.arrives {
					want = "text"
				}
				if got := w.replica(c.key); got != want || c.arrives != (status == "COMPLETED") || !c.arrives && status != "" {
					w.Errorf("got %s, %s", got, status)
				}
				w.remove(c.key, "")
				sleep(lag)
				if c.markers {
					want = "NoSuchKey"
				}
				if got := w.replica(c.key); got != want {
					w.Errorf("deleted: got %s, want %s", got, want)
				}
			}, c.rules...)
		})
	}
}

// earlier gives a rule the form of the earlier version of the schema.
func earlier(prefix string) func(*types.ReplicationRule) {
	return func(r *types.ReplicationRule) {
		r.Filter, r.DeleteMarkerReplication, r.Priority = nil, nil, nil
		r.Prefix = &prefix //nolint:staticcheck // what is tested
	}
}

func TestWhatIsNotReplicated(t *testing.T) {
	t.Parallel()
	replicating(t, func(w *world) {
		// The deletion of a version.
		v := w.put("a", "text")
		sleep(lag)
		w.remove("a", *v.VersionId)
		// A version that is gone before its replica is made.
		gone := w.put("b", "text")
		w.remove("b", *gone.VersionId)
		sleep(time.Hour)
		if got := w.replica("a"); got != "text" {
			w.Errorf("the replica of a deleted version: %s", got)
		}
		if got := w.replica("b"); got != "NoSuchKey" {
			w.Errorf("the replica of what was deleted at once: %s", got)
		}
		// A replica goes no further, also where a rule leads back.
		_, err := w.elsewhere.PutBucketReplication(w.Context(), &s3.PutBucketReplicationInput{
			Bucket: aws.String(replicas), ReplicationConfiguration: &types.ReplicationConfiguration{Role: aws.String(role), Rules: []types.ReplicationRule{
				rule(func(r *types.ReplicationRule) { r.Destination.Bucket = aws.String("arn:aws:s3:::" + name) }),
			}},
		})
		if err != nil {
			w.Fatal(err)
		}
		w.put("c", "text")
		sleep(time.Hour)
		if held, _ := w.versions("c"); len(held) != 1 {
			w.Errorf("%v", held)
		}
		svctest.Must(w.elsewhere.PutObject(w.Context(), &s3.PutObjectInput{Bucket: aws.String(replicas), Key: aws.String("d")}))(w)
		sleep(lag)
		if w.read("d") != "" || w.status("d") != "REPLICA" {
			w.Errorf("the way back: %q, %s", w.read("d"), w.status("d"))
		}
	}, rule())
}

func TestTagsFollowTheirVersion(t *testing.T) {
	t.Parallel()
	replicating(t, func(w *world) {
		v := w.put("key", "text")
		sleep(lag)
		// A replica that is not current any more is found by its ID.
		svctest.Must(w.elsewhere.PutObject(w.Context(), &s3.PutObjectInput{Bucket: aws.String(replicas), Key: aws.String("key")}))(w)
		svctest.Must(w.PutObjectTagging(w.Context(), &s3.PutObjectTaggingInput{Bucket: aws.String(name), Key: aws.String("key"), Tagging: tagSet("a", "1")}))(w)
		if w.status("key") != "PENDING" {
			w.Error(w.status("key"))
		}
		sleep(lag)
		out := svctest.Must(w.elsewhere.GetObjectTagging(w.Context(), &s3.GetObjectTaggingInput{Bucket: aws.String(replicas), Key: aws.String("key"), VersionId: v.VersionId}))(w)
		if w.status("key") != "COMPLETED" || len(out.TagSet) != 1 {
			w.Errorf("%s, %v", w.status("key"), out.TagSet)
		}
	}, rule())
}

func TestSeveralDestinations(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.abroad(replicas)
		w.abroad("more")
		w.versioning("Enabled")
		for _, b := range []string{replicas, "more"} {
			if err := version(w.Context(), w.elsewhere, b, "Enabled"); err != nil {
				w.Fatal(err)
			}
		}
		if err := w.replicate(rule(), rule(func(r *types.ReplicationRule) {
			r.ID, r.Priority, r.Destination = aws.String("more"), aws.Int32(2), &types.Destination{Bucket: aws.String("arn:aws:s3:::more"), StorageClass: "STANDARD_IA"}
		})); err != nil {
			w.Fatal(err)
		}
		heal := svctest.Must(w.cloud.Stick("more"))(w)
		w.put("key", "text")
		sleep(time.Hour)
		if got := w.status("key"); got != "PENDING" || w.replica("key") != "text" {
			w.Errorf("one is held up: %s", got)
		}
		heal()
		if got := w.status("key"); got != "COMPLETED" {
			w.Errorf("healed: %s", got)
		}
		out := svctest.Must(w.elsewhere.HeadObject(w.Context(), &s3.HeadObjectInput{Bucket: aws.String("more"), Key: aws.String("key")}))(w)
		if out.StorageClass != "STANDARD_IA" || w.head("key").StorageClass != "" {
			w.Errorf("storage class %s", out.StorageClass)
		}
		// One that fails makes it fail.
		if err := version(w.Context(), w.elsewhere, "more", "Suspended"); err != nil {
			w.Fatal(err)
		}
		w.put("key", "again")
		sleep(lag)
		if got := w.status("key"); got != "FAILED" || w.replica("key") != "again" {
			w.Errorf("one fails: %s, the other has %s", got, w.replica("key"))
		}
	})
}

func TestReplicationFailsWithItsDestination(t *testing.T) {
	t.Parallel()
	replicating(t, func(w *world) {
		w.put("key", "text")
		svctest.Must(w.elsewhere.DeleteBucket(w.Context(), &s3.DeleteBucketInput{Bucket: aws.String(replicas)}))(w)
		sleep(lag)
		if got := w.status("key"); got != "FAILED" {
			w.Errorf("got %s", got)
		}
	}, rule())
}

// What holds replication up, and what happens when it is healed.
func TestReplicationIsHeldUp(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		fault func(*awstest.Cloud) (func(), error)
		after time.Duration // the most that it takes once healed
	}{
		"the source is stuck":                         {func(c *awstest.Cloud) (func(), error) { return c.Stick(name) }, 0},
		"the destination is stuck":                    {func(c *awstest.Cloud) (func(), error) { return c.Stick(replicas) }, 0},
		"S3 is down in the region of the destination": {func(c *awstest.Cloud) (func(), error) { return c.FailService(s3.ServiceID, there) }, lag},
		"S3 is down in the region of the source":      {func(c *awstest.Cloud) (func(), error) { return c.FailService(s3.ServiceID, here) }, lag},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			replicating(t, func(w *world) {
				w.put("key", "first")
				w.put("key", "second")
				w.put("other", "text")
				w.remove("other", "")
				heal := svctest.Must(c.fault(w.cloud))(w)
				sleep(time.Hour)
				heal()
				if c.after > 0 {
					if got := w.replica("key"); got != "NoSuchKey" {
						w.Errorf("while it lasts: %s", got)
					}
				}
				sleep(c.after)
				if w.status("key") != "COMPLETED" || w.replica("key") != "second" || w.replica("other") != "NoSuchKey" {
					w.Errorf("healed: %s, %s, %s", w.status("key"), w.replica("key"), w.replica("other"))
				}
				out := svctest.Must(w.elsewhere.ListObjectVersions(w.Context(), &s3.ListObjectVersionsInput{Bucket: aws.String(replicas)}))(w)
				if len(out.Versions) != 3 || len(out.DeleteMarkers) != 1 {
					w.Errorf("%d versions, %d delete markers", len(out.Versions), len(out.DeleteMarkers))
				}
			}, rule())
		})
	}
}

func TestStuckReplicationIsPending(t *testing.T) {
	t.Parallel()
	replicating(t, func(w *world) {
		svctest.Must(w.cloud.Stick(replicas))(w)
		w.put("key", "text")
		sleep(24 * time.Hour)
		if w.status("key") != "PENDING" || w.replica("key") != "NoSuchKey" {
			w.Errorf("%s, %s", w.status("key"), w.replica("key"))
		}
	}, rule())
}

// A configuration is shown as it was put, and ends with its deletion.
func TestReplicationConfigurations(t *testing.T) {
	t.Parallel()
	off := &types.DeleteMarkerReplication{Status: types.DeleteMarkerReplicationStatusDisabled}
	for what, rules := range map[string][]types.ReplicationRule{
		"a prefix":           {rule()},
		"the earlier schema": {rule(earlier("k"))},
		"an empty filter":    {rule(func(r *types.ReplicationRule) { r.Filter = &types.ReplicationRuleFilter{} })},
		"a tag, disabled, elsewhere stored": {rule(func(r *types.ReplicationRule) {
			r.Filter, r.DeleteMarkerReplication, r.Status = &types.ReplicationRuleFilter{Tag: &tagSet("a", "1").TagSet[0]}, off, "Disabled"
			r.Destination.StorageClass = "STANDARD_IA"
		})},
		"both": {rule(func(r *types.ReplicationRule) {
			r.Filter = &types.ReplicationRuleFilter{And: &types.ReplicationRuleAndOperator{Prefix: aws.String("k"), Tags: tagSet("a", "1").TagSet}}
			r.DeleteMarkerReplication = off
		}), rule(func(r *types.ReplicationRule) { r.ID, r.Priority = aws.String("second"), aws.Int32(7) })},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			replicating(t, func(w *world) {
				get := func() (*s3.GetBucketReplicationOutput, error) {
					return w.GetBucketReplication(w.Context(), &s3.GetBucketReplicationInput{Bucket: aws.String(name)})
				}
				out := svctest.Must(get())(w)
				want := &types.ReplicationConfiguration{Role: aws.String(role), Rules: rules}
				if diff := cmp.Diff(want, out.ReplicationConfiguration, ignore); diff != "" {
					w.Error(diff)
				}
				err := version(w.Context(), w.Client, name, "Suspended")
				svctest.WantCode(w, err, "InvalidBucketState")
				svctest.WantStatus(w, err, 409)
				w.put("key", "text")
				svctest.Must(w.DeleteBucketReplication(w.Context(), &s3.DeleteBucketReplicationInput{Bucket: aws.String(name)}))(w)
				_, err = get()
				svctest.WantCode(w, err, "ReplicationConfigurationNotFoundError")
				svctest.WantStatus(w, err, 404)
				w.put("later", "text")
				sleep(lag)
				if got := w.replica("later"); got != "NoSuchKey" {
					w.Errorf("without a rule: %s", got)
				}
				if err := version(w.Context(), w.Client, name, "Suspended"); err != nil {
					w.Error(err)
				}
			}, rules...)
		})
	}
}

func TestRulesWithoutIDGetOne(t *testing.T) {
	t.Parallel()
	replicating(t, func(w *world) {
		out := svctest.Must(w.GetBucketReplication(w.Context(), &s3.GetBucketReplicationInput{Bucket: aws.String(name)}))(w)
		r := out.ReplicationConfiguration.Rules
		if aws.ToString(r[0].ID) == "" || *r[0].ID == *r[1].ID {
			w.Errorf("%v", r)
		}
	}, rule(func(r *types.ReplicationRule) { r.ID = nil }), rule(func(r *types.ReplicationRule) { r.ID, r.Priority = nil, aws.Int32(2) }))
}

func TestReplicationConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.abroad(replicas)
		w.abroad("other")
		svctest.WantCode(w, w.replicate(rule()), "InvalidRequest") // no versioning here
		w.versioning("Enabled")
		svctest.WantCode(w, w.replicate(rule()), "InvalidRequest") // nor there
		for _, b := range []string{replicas, "other"} {
			if err := version(w.Context(), w.elsewhere, b, "Enabled"); err != nil {
				w.Fatal(err)
			}
		}
		two := func(change func(*types.ReplicationRule)) []types.ReplicationRule {
			return []types.ReplicationRule{rule(), rule(func(r *types.ReplicationRule) { r.ID, r.Priority = aws.String("second"), aws.Int32(2); change(r) })}
		}
		old := func(prefixes ...string) (rules []types.ReplicationRule) {
			for _, p := range prefixes {
				rules = append(rules, rule(earlier(p), func(r *types.ReplicationRule) { r.ID = aws.String("of " + p) }))
			}
			return rules
		}
		many := make([]types.ReplicationRule, 1001)
		for i := range many {
			many[i] = rule()
		}
		for what, c := range map[string]struct {
			rules []types.ReplicationRule
			code  string
		}{
			"no rules":              {[]types.ReplicationRule{}, "InvalidRequest"},
			"too many":              {many, "InvalidRequest"},
			"a long ID":             {[]types.ReplicationRule{rule(func(r *types.ReplicationRule) { r.ID = aws.String(string(blob(256))) })}, "InvalidArgument"},
			"an ID twice":           {two(func(r *types.ReplicationRule) { r.ID = aws.String("all") }), "InvalidArgument"},
			"a priority twice":      {two(func(r *types.ReplicationRule) { r.Priority = aws.Int32(1) }), "InvalidRequest"},
			"two schemas":           {two(earlier("x")), "InvalidRequest"},
			"no priority":           {[]types.ReplicationRule{rule(func(r *types.ReplicationRule) { r.Priority = nil })}, "InvalidRequest"},
			"no delete markers":     {[]types.ReplicationRule{rule(func(r *types.ReplicationRule) { r.DeleteMarkerReplication = nil })}, "InvalidRequest"},
			"delete markers of old": {[]types.ReplicationRule{rule(func(r *types.ReplicationRule) { r.Filter = nil })}, "InvalidRequest"},
			"delete markers by tag": {[]types.ReplicationRule{rule(func(r *types.ReplicationRule) {
				r.Filter = &types.ReplicationRuleFilter{Tag: &tagSet("a", "1").TagSet[0]}
			})}, "InvalidRequest"},
			"two filters":            {[]types.ReplicationRule{rule(func(r *types.ReplicationRule) { r.Filter.Tag = &tagSet("a", "1").TagSet[0] })}, "MalformedXML"},
			"a filter of both":       {[]types.ReplicationRule{rule(func(r *types.ReplicationRule) { r.Prefix = aws.String("") })}, "MalformedXML"}, //nolint:staticcheck // what is tested
			"prefixes of each other": {old("a", "ab"), "InvalidRequest"},
			"two old destinations": {append(old("a"), rule(earlier("b"), func(r *types.ReplicationRule) {
				r.Destination = &types.Destination{Bucket: aws.String("arn:aws:s3:::other")}
			})), "InvalidRequest"},
			"what is no ARN": {[]types.ReplicationRule{rule(func(r *types.ReplicationRule) { r.Destination = &types.Destination{Bucket: aws.String(replicas)} })}, "InvalidArgument"},
			"nowhere": {[]types.ReplicationRule{rule(func(r *types.ReplicationRule) {
				r.Destination = &types.Destination{Bucket: aws.String("arn:aws:s3:::nowhere")}
			})}, "InvalidRequest"},
			"onto itself": {[]types.ReplicationRule{rule(func(r *types.ReplicationRule) {
				r.Destination = &types.Destination{Bucket: aws.String("arn:aws:s3:::" + name)}
			})}, "InvalidRequest"},
		} {
			if err := w.replicate(c.rules...); code(err) != c.code {
				w.Errorf("%s: got %v, want %s", what, err, c.code)
			}
		}
		_, err := w.GetBucketReplication(w.Context(), &s3.GetBucketReplicationInput{Bucket: aws.String(name)})
		svctest.WantCode(w, err, "ReplicationConfigurationNotFoundError")
		if err := w.replicate(old("a", "b")...); err != nil {
			w.Error(err)
		}
		if err := w.replicate(two(func(*types.ReplicationRule) {})...); err != nil {
			w.Error(err)
		}
		var api *awstest.APIError
		if errors.As(err, &api) {
			w.Error("an error of the model reached the caller as it is")
		}
	})
}

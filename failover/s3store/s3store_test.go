package s3store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/s3svc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/failovermock"
	"github.com/awsha/awsha/failover/s3store"
	"github.com/awsha/awsha/failover/storetest"
)

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	_, client := newCloud(t)
	store := newStore(t, client, patient, func(o *s3store.Options) { o.Prefix = strings.Repeat("p", 499) + "/" })
	storetest.Run(t, func(*testing.T) failover.Store { return store })
}

// hasty repeats calls without the pauses of the SDK, which are real ones in these tests.
func hasty(o *s3.Options) {
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = 8, time.Millisecond })
}

func TestStoreKeepsTheContractInAVersionedBucketWhileRepliesAreLost(t *testing.T) {
	t.Parallel()
	cloud, client := newCloud(t)
	if err := version(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	inject(t, cloud, awstest.Match{Probability: 0.05}, awstest.LoseReply())
	inject(t, cloud, awstest.Match{Probability: 0.05}, awstest.Throttle())
	store := newStore(t, s3.NewFromConfig(cloud.Config("us-east-1"), hasty), patient)
	storetest.Run(t, func(*testing.T) failover.Store { return store })
}

func TestARaceIsWonOnceAlthoughOthersAreInTheWay(t *testing.T) {
	t.Parallel()
	cloud, client := newCloud(t)
	inject(t, cloud, awstest.Match{Operation: "PutObject", Probability: 0.3}, s3svc.Conflict())
	storetest.Race(t, newStore(t, client, patient))
}

func TestAWriteWhoseReplyIsLostSucceeds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, client := newCloud(t)
		s := newStore(t, client, patient)
		version := failover.Version("")
		for _, value := range []string{"created", "replaced"} {
			inject(t, cloud, awstest.Match{Operation: "PutObject", Times: 2}, awstest.LoseReply())
			version = put(t, s, "g", "n", value, version)
			wantEntry(t, s, "g", "n", value, version)
		}
	})
}

func TestAWriteThatIsOvertakenWhileItsReplyIsLostHasChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, client := newCloud(t)
		s, rival := newStore(t, client, patient), newStore(t, client, patient)
		var theirs failover.Version
		inject(t, cloud, awstest.Match{Operation: "PutObject", Times: 1}, awstest.After(func(ctx context.Context, _ awstest.Record) {
			e, err := rival.Get(ctx, "g", "n")
			if err == nil {
				theirs, err = rival.Put(ctx, "g", "n", []byte("first"), e.Version) // the same value
			}
			if err != nil {
				t.Error(err)
			}
		}))
		inject(t, cloud, awstest.Match{Operation: "PutObject", Times: 1}, awstest.LoseReply())
		if _, err := s.Put(t.Context(), "g", "n", []byte("first"), ""); !errors.Is(err, failover.ErrChanged) {
			t.Error(err)
		}
		wantEntry(t, s, "g", "n", "first", theirs)
	})
}

func TestARefusalThatCannotBeSettledIsARefusal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, client := newCloud(t)
		s := newStore(t, client)
		put(t, s, "g", "n", "v", "")
		inject(t, cloud, awstest.Match{Operation: "GetObject"}, awstest.Deny())
		if _, err := s.Put(t.Context(), "g", "n", nil, ""); !errors.Is(err, failover.ErrChanged) || !strings.Contains(err.Error(), "AccessDenied") {
			t.Error(err)
		}
	})
}

func TestAnObjectThatWasDeletedHasChanged(t *testing.T) {
	t.Parallel()
	for _, versioned := range []bool{false, true} {
		t.Run(fmt.Sprintf("versioned: %v", versioned), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, client := newCloud(t)
				s := newStore(t, client)
				if versioned {
					if err := version(t.Context(), client); err != nil {
						t.Fatal(err)
					}
				}
				first := put(t, s, "g", "n", "A", "")
				if _, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("g/n")}); err != nil {
					t.Fatal(err)
				}
				wantEntry(t, s, "g", "n", "", "")
				if list, err := s.List(t.Context(), "g"); len(list) != 0 || err != nil {
					t.Errorf("%+v, %v", list, err)
				}
				if _, err := s.Put(t.Context(), "g", "n", []byte("B"), first); !errors.Is(err, failover.ErrChanged) {
					t.Error(err)
				}
				second := put(t, s, "g", "n", "A", "")
				if second == first {
					t.Error("the version is back")
				}
			})
		})
	}
}

func TestAVersionThatIsMoreThanAnETagHasChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, client := newCloud(t)
		s := newStore(t, client)
		mine := put(t, s, "g", "n", "v", "")
		before := cloud.Count(s3.ServiceID, "")
		for _, old := range []failover.Version{"*", `"a", ` + mine, mine + "," + mine, " ", "\n"} {
			if _, err := s.Put(t.Context(), "g", "n", nil, old); !errors.Is(err, failover.ErrChanged) {
				t.Errorf("%q: %v", old, err)
			}
		}
		if n := cloud.Count(s3.ServiceID, ""); n != before {
			t.Errorf("%d calls", n-before)
		}
		if _, err := s.Put(t.Context(), "g", "n", nil, "12.ABC"); !errors.Is(err, failover.ErrChanged) {
			t.Errorf("a version of another store: %v", err)
		}
	})
}

func TestWhatS3AnswersIsHandedOn(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		effect awstest.Effect
		want   error  // the error matches it
		says   string // and has it in its text
		stored bool
	}{
		"another write":      {s3svc.Conflict(), s3store.ErrBusy, "ConditionalRequestConflict", false},
		"an operation":       {awstest.Reject(awstest.APIError{Code: "OperationAborted", Status: 409}), s3store.ErrBusy, "OperationAborted", false},
		"throttled":          {awstest.Throttle(), nil, "SlowDown", false},
		"down":               {awstest.Unavailable(), nil, "ServiceUnavailable", false},
		"denied":             {awstest.Deny(), nil, "AccessDenied", false},
		"hanging":            {awstest.Hang(), context.DeadlineExceeded, "no success in 1s", false},
		"lost for ever":      {awstest.LoseReply(), nil, "", true},
		"applied, and slow":  {awstest.DelayReply(time.Minute), context.DeadlineExceeded, "no success in 1s", true},
		"applied, and wrong": {awstest.ApplyThenReject(awstest.APIError{Code: "InternalError", Status: 500}), nil, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cloud, client := newCloud(t)
				s := newStore(t, client)
				heal := inject(t, cloud, awstest.Match{Operation: "PutObject"}, test.effect)
				began := time.Now()
				_, err := s.Put(t.Context(), "g", "n", []byte("v"), "")
				if took := time.Since(began); took > time.Second {
					t.Errorf("took %v", took)
				}
				heal()
				switch {
				case test.stored && err == nil: // settled by the repetition
				case err == nil || errors.Is(err, failover.ErrChanged):
					t.Errorf("got %v", err)
				case test.want != nil && !errors.Is(err, test.want):
					t.Errorf("got %v, want %v", err, test.want)
				case !strings.Contains(err.Error(), test.says) || !strings.HasPrefix(err.Error(), `s3store: put "n" of "g" in failover: `):
					t.Errorf("got %v, which does not say %q", err, test.says)
				}
				e, err := s.Get(t.Context(), "g", "n")
				if stored := e.Version != ""; stored != test.stored || err != nil {
					t.Errorf("stored: %v, want %v; %v", stored, test.stored, err)
				}
			})
		})
	}
}

func TestARequestThatIsCancelledTellsWhy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, client := newCloud(t)
		s := newStore(t, client)
		put(t, s, "g", "n", "v", "")
		why := errors.New("the reason")
		for operation, call := range map[string]func(context.Context) error{
			"GetObject":     func(ctx context.Context) error { _, err := s.Get(ctx, "g", "n"); return err },
			"ListObjectsV2": func(ctx context.Context) error { _, err := s.List(ctx, "g"); return err },
			"PutObject":     func(ctx context.Context) error { _, err := s.Put(ctx, "g", "m", nil, ""); return err },
			"":              func(ctx context.Context) error { _, err := s.List(ctx, "g"); return err },
		} {
			match := awstest.Match{Operation: operation}
			if operation == "" {
				match.Operation = "GetObject" // of the list
			}
			heal := inject(t, cloud, match, awstest.Hang())
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(100*time.Millisecond, func() { cancel(why) })
			if err := call(ctx); !errors.Is(err, why) {
				t.Errorf("%s: %v", operation, err)
			}
			heal()
		}
	})
}

func TestAMissingBucketIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, client := newCloud(t)
		s, err := s3store.New(client, "missing")
		if err != nil {
			t.Fatal(err)
		}
		for what, err := range use(t.Context(), s) {
			if err == nil || errors.Is(err, failover.ErrChanged) || !strings.Contains(err.Error(), "NoSuchBucket") || !strings.HasPrefix(err.Error(), "s3store: "+what+" in missing: ") {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func TestABucketOfSomebodyElseIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, client := newCloud(t)
		for owner, denied := range map[string]bool{"": false, "123456789012": false, "210987654321": true} {
			s := newStore(t, client, func(o *s3store.Options) { o.ExpectedOwner, o.Prefix = owner, owner+"/" })
			for what, err := range use(t.Context(), s) {
				if got := err != nil && strings.Contains(err.Error(), "AccessDenied"); got != denied || err != nil && !denied {
					t.Errorf("owner %q: %s: %v", owner, what, err)
				}
			}
		}
		if got := keys(t, client); len(got) != 2 {
			t.Errorf("stored %q", got)
		}
	})
}

func TestKeysAreReadable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, client := newCloud(t)
		s := newStore(t, client, func(o *s3store.Options) { o.Prefix = "prod/" })
		for _, name := range []string{"orders-use1-az1-20260102T1504Z", "a/b", "..", "a..", "100%", "a!2Fb", strings.Repeat("é", 100)} {
			put(t, s, "leases/eu", name, "v", "")
		}
		want := []string{
			"prod/leases!2Feu/!2E.", "prod/leases!2Feu/100!25", "prod/leases!2Feu/a!212Fb", "prod/leases!2Feu/a!2Fb", "prod/leases!2Feu/a..",
			"prod/leases!2Feu/orders-use1-az1-20260102T1504Z",
		}
		got := keys(t, client)
		long := slices.IndexFunc(got, func(key string) bool {
			return strings.HasPrefix(key, "prod/leases!2Feu/!C3!A9!C3!A9") && len(key) == len("prod/leases!2Feu/")+250
		})
		if long < 0 {
			t.Fatalf("no long key in %q", got)
		}
		if diff := cmp.Diff(want, slices.Delete(got, long, long+1)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestNamesAreAnyBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, client := newCloud(t)
		s := newStore(t, client)
		for _, name := range []string{"\xff", "\xfe", "\n", "\x00", "\"", "\\xff", "\ufffd"} {
			version := put(t, s, "\xff", name, "value of "+name, "")
			wantEntry(t, s, "\xff", name, "value of "+name, version)
		}
		list, err := s.List(t.Context(), "\xff")
		if len(list) != 7 || err != nil {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

func TestPrefixesKeepStoresApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, client := newCloud(t)
		outer := newStore(t, client, func(o *s3store.Options) { o.Prefix = "a/" })
		inner := newStore(t, client, func(o *s3store.Options) { o.Prefix = "a/b/" })
		one := put(t, outer, "b", "n", "outer", "")
		put(t, inner, "n", "m", "inner", "")
		put(t, inner, "b", "n", "inner", "")
		wantEntry(t, outer, "b", "n", "outer", one)
		list, err := outer.List(t.Context(), "b")
		if len(list) != 1 || list[0].Name != "n" || string(list[0].Value) != "outer" || err != nil {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

func TestWhatIsNotOfThePackageIsAnError(t *testing.T) {
	t.Parallel()
	const line = `awsha-failover-entry 1 ABC "g" "n"` + "\n"
	for name, body := range map[string]string{
		"nothing": "", "something": "hello", "a line": "hello\n", "another format": strings.Replace(line, "1", "2", 1), "no write": strings.Replace(line, "ABC", "", 1),
		"no end": strings.TrimSpace(line), "no name": `awsha-failover-entry 1 ABC "g"` + "\n", "names run together": `awsha-failover-entry 1 ABC "g""n"` + "\n",
		"more than names": strings.TrimSpace(line) + " \"x\"\n", "no quotes": "awsha-failover-entry 1 ABC g n\n", "another name": strings.Replace(line, `"n"`, `"m"`, 1),
		"another group": strings.Replace(line, `"g"`, `"h"`, 1), "too long": line + strings.Repeat("v", 80<<10),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, client := newCloud(t)
				s := newStore(t, client)
				if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("g/n"), Body: strings.NewReader(body)}); err != nil {
					t.Fatal(err)
				}
				for what, err := range use(t.Context(), s) {
					if err == nil {
						t.Errorf("%s: no error", what)
					}
				}
			})
		})
	}
	t.Run("a folder of the console's", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			_, client := newCloud(t)
			s := newStore(t, client)
			if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("g/")}); err != nil {
				t.Fatal(err)
			}
			for what, err := range use(t.Context(), s) {
				if err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	})
}

func TestWhatCannotBeStoredIsRefusedWithoutACall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, client := newCloud(t)
		s := newStore(t, client)
		before := cloud.Count(s3.ServiceID, "")
		long := strings.Repeat("n", 1025)
		try := func(group, name string, value []byte) error {
			_, err := s.Put(t.Context(), group, name, value, "")
			return err
		}
		_, get := s.Get(t.Context(), "g", "")
		_, list := s.List(t.Context(), "")
		for what, err := range map[string]error{
			"group": try("", "n", nil), "name": try("g", "", nil), "long group": try(long, "n", nil), "long name": try("g", long, nil),
			"value": try("g", "n", make([]byte, 64<<10+1)), "get": get, "list": list,
		} {
			if !errors.As(err, new(*failover.FieldError)) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if n := cloud.Count(s3.ServiceID, ""); n != before {
			t.Errorf("%d calls", n-before)
		}
		if err := try(long[1:], long[1:], bytes.Repeat([]byte("v"), 64<<10)); err != nil {
			t.Error(err)
		}
		if list, err := s.List(t.Context(), long[1:]); len(list) != 1 || err != nil {
			t.Errorf("%d entries, %v", len(list), err)
		}
	})
}

func TestABodyThatBreaksOffIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, client := newCloud(t)
		s := newStore(t, client)
		put(t, s, "g", "n", strings.Repeat("v", 1000), "")
		inject(t, cloud, awstest.Match{Operation: "GetObject"}, s3svc.CutBody(500))
		if e, err := s.Get(t.Context(), "g", "n"); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q, %v", e.Value, err)
		}
		if list, err := s.List(t.Context(), "g"); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d entries, %v", len(list), err)
		}
	})
}

func TestAListIsReadInParallel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, client := newCloud(t)
		s := newStore(t, client, func(o *s3store.Options) { o.Parallel = 4 })
		for i := range 20 {
			put(t, s, "g", fmt.Sprint(i), "v", "")
		}
		inject(t, cloud, awstest.Match{Operation: "GetObject"}, awstest.Delay(99*time.Millisecond)) // and 1 ms of latency
		began := time.Now()
		if list, err := s.List(t.Context(), "g"); len(list) != 20 || err != nil {
			t.Fatal(len(list), err)
		}
		if took := time.Since(began).Round(10 * time.Millisecond); took != 500*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

func TestCosts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, client := newCloud(t)
		s := newStore(t, client)
		first := put(t, s, "g", "n", "v", "")
		put(t, s, "g", "n", "v", first)
		put(t, s, "g", "m", "v", "")
		if _, err := s.Put(t.Context(), "g", "n", nil, first); !errors.Is(err, failover.ErrChanged) {
			t.Error(err)
		}
		if _, err := s.List(t.Context(), "g"); err != nil {
			t.Error(err)
		}
		if _, err := s.Get(t.Context(), "g", "n"); err != nil {
			t.Error(err)
		}
		for operation, want := range map[string]int{"PutObject": 4, "GetObject": 1 + 2 + 1, "ListObjectsV2": 1} {
			if n := cloud.Count(s3.ServiceID, operation); n != want {
				t.Errorf("%d calls of %s, want %d", n, operation, want)
			}
		}
	})
}

func TestOddReplies(t *testing.T) {
	t.Parallel()
	s := newStore(t, &failovermock.S3StoreAPIMock{
		GetObjectFunc: func(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
			return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader("awsha-failover-entry 1 ABC \"g\" \"n\"\n"))}, nil
		},
		PutObjectFunc: func(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
			return &s3.PutObjectOutput{}, nil
		},
		ListObjectsV2Func: func(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
			return &s3.ListObjectsV2Output{IsTruncated: aws.Bool(true)}, nil
		},
	})
	for what, err := range use(t.Context(), s) {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func TestNewReportsMistakesAllAtOnce(t *testing.T) {
	t.Parallel()
	_, err := s3store.New(nil, "", func(o *s3store.Options) { o.Prefix, o.ExpectedOwner, o.Parallel, o.Timeout = "a", "me", -1, -1 })
	for _, want := range []string{
		"failover: api: <nil> must not be nil", `failover: bucket: "" must be the name of a bucket`, `failover: Options.Prefix: "a" must end with a slash`,
		`failover: Options.ExpectedOwner: "me" must be an account ID of twelve digits`, "failover: Options.Parallel: -1 must not be negative",
		"failover: Options.Timeout: -1ns must not be negative",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("nothing of %s in %v", want, err)
		}
	}
	_, err = s3store.New(&failovermock.S3StoreAPIMock{}, "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap")
	if !errors.As(err, new(*failover.FieldError)) {
		t.Errorf("a Multi-Region Access Point: %v", err)
	}
	for _, prefix := range []string{strings.Repeat("p", 500) + "/", "\xff/"} {
		if _, err = s3store.New(&failovermock.S3StoreAPIMock{}, "b", func(o *s3store.Options) { o.Prefix = prefix }); err == nil {
			t.Errorf("prefix %q", prefix)
		}
	}
}

// use makes each call of a store, and returns their errors.
func use(ctx context.Context, s failover.Store) map[string]error {
	_, get := s.Get(ctx, "g", "n")
	_, list := s.List(ctx, "g")
	_, put := s.Put(ctx, "g", "n", []byte("v"), "")
	return map[string]error{`get "n" of "g"`: get, `list "g"`: list, `put "n" of "g"`: put}
}

// patient gives the SDK the time for all of its pauses, and a machine under load that for all of its work.
func patient(o *s3store.Options) { o.Timeout = time.Minute }

func version(ctx context.Context, client *s3.Client) error {
	_, err := client.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: aws.String(bucket), VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	return err
}

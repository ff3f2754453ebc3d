package rdssvc_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/smithy-go"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/rdssvc"
)

// codeOf returns the code of an error of the service, else what it says.
func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	if own, ok := errors.AsType[*awstest.APIError](err); ok { // of SetWrites and its like
		return own.Code
	}
	return err.Error()
}

func TestDocListsEveryOperation(t *testing.T) {
	t.Parallel()
	svctest.PageListsOperations(t, svctest.Operations[*rds.Client](t, rdssvc.New(), rds.ServiceID))
}

func codes(t *testing.T) map[string]bool {
	t.Helper()
	return svctest.Codes(t, "*.go", "../internal/rdsmodel/*.go")
}

func TestDocListsEveryErrorCode(t *testing.T) {
	t.Parallel()
	svctest.PageListsCodes(t, codes(t))
}

func TestErrorsAreOfTheSDKsTypes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.ErrorTypes(w, w.cloud, rds.ServiceID, codes(w.T), w.Client, func(code string) *rds.Client {
			return rds.New(rds.Options{
				Region: home, Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1,
				HTTPClient: svctest.Answer(`<ErrorResponse><Error><Code>` + code + `</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>`),
			})
		})
	})
}

func TestServiceFaults(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		list := func() error { _, err := w.DescribeDBInstances(w.Context(), nil); return err }
		svctest.ServiceFaults(w, w.cloud, awstest.Match{Service: rds.ServiceID, Operation: "DescribeDBInstances"}, list,
			svctest.ServiceFault{Effect: awstest.Throttle(), Code: "ThrottlingException", Status: 400, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Unavailable(), Code: "ServiceUnavailable", Status: 503, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Deny(), Code: "AccessDenied", Status: 403, Attempts: 1},
		)
	})
}

// CreateDBSnapshot has no token: after a lost reply the SDK's second attempt
// meets the snapshot of the first.
func TestLostReplyMeetsItself(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.database("db")
		svctest.Must(w.cloud.Inject(awstest.Match{Service: rds.ServiceID, Operation: "CreateDBSnapshot", Times: 1}, awstest.LoseReply()))(w)
		if err, ok := errors.AsType[*types.DBSnapshotAlreadyExistsFault](w.snapshot("s", "db")); !ok {
			w.Errorf("got %v", err)
		}
		if got := *w.show(w.Client, "s").Status; got != "creating" {
			w.Errorf("it is %s", got)
		}
	})
}

func TestNotModelledIsLoud(t *testing.T) {
	t.Parallel()
	filter := []types.Filter{{Name: aws.String("domain"), Values: []string{"d"}}}
	for says, input := range map[string]any{
		"CreateGlobalCluster":                              &rds.CreateGlobalClusterInput{GlobalClusterIdentifier: aws.String("c")},
		"CreateDBCluster: engine mysql":                    &rds.CreateDBClusterInput{DBClusterIdentifier: aws.String("c"), Engine: aws.String("mysql")},
		"DescribeDBClusterSnapshots: snapshot type public": &rds.DescribeDBClusterSnapshotsInput{SnapshotType: aws.String("public")},
		"CreateDBInstance: parameter DBSubnetGroupName":    createInput("db", func(in *createIn) { in.DBSubnetGroupName = aws.String("g") }),
		"CreateDBInstance: engine db2-se":                  createInput("db", func(in *createIn) { in.Engine = aws.String("db2-se") }),
		"CreateDBInstance: storage type io1":               createInput("db", func(in *createIn) { in.StorageType = aws.String("io1") }),
		"DeleteDBInstance: automated backups that stay when their instance goes": &rds.DeleteDBInstanceInput{
			DBInstanceIdentifier: aws.String("db"), DeleteAutomatedBackups: aws.Bool(false),
		},
		"DescribeDBInstances: filter domain":        &rds.DescribeDBInstancesInput{Filters: filter},
		"DescribeDBSnapshots: filter domain":        &rds.DescribeDBSnapshotsInput{Filters: filter},
		"DescribeDBSnapshots: snapshot type shared": &rds.DescribeDBSnapshotsInput{SnapshotType: aws.String("shared")},
		"ModifyDBInstance: a change in the next maintenance window: ApplyImmediately must be set": &rds.ModifyDBInstanceInput{
			DBInstanceIdentifier: aws.String("db"), MultiAZ: aws.Bool(true),
		},
	} {
		svctest.NotModelled(t, rdssvc.New(), func(cloud *awstest.Cloud) error {
			_, err := svctest.Call(t.Context(), rds.NewFromConfig(cloud.Config(home)), input)
			return err
		}, "awstest: RDS."+says+" is not modelled")
	}
}

func TestMistakesInOptions(t *testing.T) {
	t.Parallel()
	_, err := awstest.New([]awstest.Service{rdssvc.New(func(o *rdssvc.Options) { o.Creating, o.Lag = -2, -3 })})
	for _, field := range []string{"Creating", "Lag"} {
		found := false
		for _, e := range unwrap(err) {
			if fe, ok := errors.AsType[*awstest.FieldError](e); ok && fe.Field == "rdssvc.Options."+field {
				found = true
			}
		}
		if !found {
			t.Errorf("%s is not reported: %v", field, err)
		}
	}
}

// unwrap returns the errors that are joined in one, however deep.
func unwrap(err error) (all []error) {
	switch e := err.(type) { //nolint:errorlint // it is the tree that is walked
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			all = append(all, unwrap(inner)...)
		}
	case *awstest.FieldError:
		all = append(all, e)
	case interface{ Unwrap() error }:
		all = append(all, unwrap(e.Unwrap())...)
	}
	return all
}

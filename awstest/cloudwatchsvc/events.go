package cloudwatchsvc

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
)

// ActionEvent is an action that an alarm carries out.
type ActionEvent struct {
	Region, Alarm string // names
	Action        string // ARN
	State         types.StateValue
	Reason        string
	Time          time.Time
}

// OnAction calls fn for each action of an alarm whose ARN begins with prefix,
// such as "arn:aws:sns:", in any region, from now on. It stands for what is
// behind the action and is not in the cloud: a topic, a function, an operator.
// fn runs on whatever goroutine made the alarm change, with nothing locked.
//
// A mistake is a [*awstest.FieldError].
func OnAction(cloud *awstest.Cloud, prefix string, fn func(ActionEvent)) error {
	if fn == nil {
		return &awstest.FieldError{Field: "cloudwatchsvc.OnAction", Value: "the function", Rule: "must not be nil"}
	}
	return update(cloud, func(tx *awstest.Tx, m *cwmodel.Model) error {
		m.OnAction(prefix, func(tx *awstest.Tx, region *awstest.Region, action string, a *cwmodel.Alarm, state cwmodel.State) {
			event := ActionEvent{Region: region.Name(), Alarm: a.Name, Action: action, State: types.StateValue(state), Reason: a.Reason, Time: tx.Now()}
			tx.AfterUnlock(func() { fn(event) })
		})
		return nil
	})
}

// Publish puts data points as a service of AWS does about itself: unlike those
// of PutMetricData they may be in a namespace of AWS, such as
// "AWS/ApplicationELB". A mistake is the error that PutMetricData has for it,
// as an [*awstest.APIError], or a [*awstest.FieldError].
func Publish(cloud *awstest.Cloud, region, namespace string, data ...types.MetricDatum) error {
	r, err := cloud.Region(region)
	if err != nil {
		return err
	}
	return update(cloud, func(tx *awstest.Tx, m *cwmodel.Model) error {
		read, err := readData(tx.Now(), namespace, data)
		if err != nil {
			return err
		}
		m.Region(r).Put(tx, read...)
		return nil
	})
}

func update(cloud *awstest.Cloud, fn func(*awstest.Tx, *cwmodel.Model) error) (err error) {
	cloud.Update(func(tx *awstest.Tx) {
		m, ok := awstest.Lookup[cwmodel.Model](tx)
		if !ok {
			err = &awstest.FieldError{Field: "cloud", Value: "the cloud", Rule: "must have CloudWatch"}
			return
		}
		err = fn(tx, m)
	})
	return err
}

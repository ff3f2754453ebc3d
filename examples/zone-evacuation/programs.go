package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/queueworker"
)

// programs are what runs on the machines. They are started whenever one boots, and end with it.
type programs struct {
	cloud *awstest.Cloud
	tally *tally

	running sync.WaitGroup
	ctx     context.Context // of the story
	mu      sync.Mutex
	errs    []error
}

// tally is what has become of the orders, as they would be found in a database that outlives the zone.
type tally struct {
	mu       sync.Mutex
	accepted map[string]struct{} // the customer has been told so
	done     map[string]struct{}
}

func newTally() *tally { return &tally{accepted: map[string]struct{}{}, done: map[string]struct{}{}} }

func (t *tally) accept(order string) { t.add(t.accepted, order) }
func (t *tally) finish(order string) { t.add(t.done, order) }

func (t *tally) add(set map[string]struct{}, order string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	set[order] = struct{}{}
}

// lost counts the orders that were accepted and are not done.
func (t *tally) lost() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for order := range t.accepted {
		if _, ok := t.done[order]; !ok {
			n++
		}
	}
	return n
}

// boot starts what a machine is for.
func (p *programs) boot(i *awstest.Instance, _ int) {
	p.running.Go(func() {
		ctx, end := i.Program(p.ctx)
		defer end()
		if err := p.run(ctx, i); err != nil && ctx.Err() == nil {
			p.mu.Lock()
			p.errs = append(p.errs, fmt.Errorf("%s: %w", i.ID(), err))
			p.mu.Unlock()
		}
	})
}

// end waits for the programs, whose context must have ended.
func (p *programs) end() error {
	p.running.Wait()
	return errors.Join(p.errs...)
}

// run asks what the machine is, and is that.
func (p *programs) run(ctx context.Context, i *awstest.Instance) error {
	out, err := ec2.NewFromConfig(i.Config()).DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{i.ID()}})
	if err != nil {
		return err
	}
	for _, tag := range out.Reservations[0].Instances[0].Tags {
		if aws.ToString(tag.Key) != roleTag {
			continue
		}
		if *tag.Value == roleWeb {
			return p.web(ctx, i)
		}
		return p.book(ctx, i)
	}
	return errors.New("it has no role")
}

// work is how long an order takes.
const work = 50 * time.Millisecond

// web accepts orders and puts them into the queue, and works on what is in it.
func (p *programs) web(ctx context.Context, i *awstest.Instance) error {
	api := sqs.NewFromConfig(i.Config())
	queue, err := api.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(service)})
	if err != nil {
		return err
	}
	worker, err := queueworker.New(api, *queue.QueueUrl, queueworker.HandlerFunc(func(ctx context.Context, m *queueworker.Message) error {
		if err := sleep(ctx, work); err != nil {
			return err
		}
		p.tally.finish(m.Body)
		return nil
	}), func(o *queueworker.Options) { o.CancelReceives = true })
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /orders/{order}", func(w http.ResponseWriter, r *http.Request) {
		order := r.PathValue("order")
		if _, err := api.SendMessage(r.Context(), &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: &order}); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
	stop, err := i.Serve(port, mux)
	if err != nil {
		return err
	}
	defer stop()
	return worker.Run(ctx)
}

// replay is how long the ledger needs from the attachment of its volume until it serves: its log is read again.
const replay = 45 * time.Second

// book keeps a number on its volume, once that is attached.
func (p *programs) book(ctx context.Context, i *awstest.Instance) error {
	volume, err := dataVolume(ctx, i)
	if err != nil {
		return err
	}
	if err := sleep(ctx, replay); err != nil {
		return err
	}
	var mu sync.Mutex
	number := func() (uint64, error) {
		text, err := ec2svc.ReadVolume(p.cloud, i.Zone().Region().Name(), volume)
		if err != nil || text == "" {
			return 0, err
		}
		return strconv.ParseUint(text, 10, 64)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /number", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if n, err := number(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		} else {
			_, _ = io.WriteString(w, strconv.FormatUint(n, 10))
		}
	})
	mux.HandleFunc("PUT /number/{n}", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		n, err := strconv.ParseUint(r.PathValue("n"), 10, 64)
		old, rerr := number()
		switch {
		case err != nil || rerr != nil:
			http.Error(w, fmt.Sprint(errors.Join(err, rerr)), http.StatusBadRequest)
		case n <= old: // a write that comes late
			http.Error(w, "there is a newer one", http.StatusConflict)
		default:
			if err := ec2svc.WriteVolume(p.cloud, i.Zone().Region().Name(), volume, strconv.FormatUint(n, 10)); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		}
	})
	stop, err := i.Serve(port, mux)
	if err != nil {
		return err
	}
	defer stop()
	<-ctx.Done()
	return nil
}

const rootDevice = "/dev/xvda"

// dataVolume waits for the volume of the ledger, and returns its ID.
func dataVolume(ctx context.Context, i *awstest.Instance) (string, error) {
	api := ec2.NewFromConfig(i.Config())
	for {
		out, err := api.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{Filters: []types.Filter{{Name: aws.String("attachment.instance-id"), Values: []string{i.ID()}}}})
		if err != nil {
			return "", err
		}
		for _, v := range out.Volumes {
			if a := v.Attachments[0]; *a.Device != rootDevice && a.State == types.VolumeAttachmentStateAttached {
				return *v.VolumeId, nil
			}
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return "", err
		}
	}
}

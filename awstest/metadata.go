package awstest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The instance metadata service, version 2: tokens are required.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html (read 2026-11)
const (
	metadataHost  = "169.254.169.254"
	metadataToken = "X-Aws-Ec2-Metadata-Token"
	metadataTTL   = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
)

// metadataOnly is the HTTP client of an SDK configuration: it reaches the
// metadata service of the instance, if there is one, and nothing else. That a
// request of any other kind comes here at all is a mistake. Paths that the
// service has and that are not modelled are noted for Close.
type metadataOnly struct{ instance *Instance }

// Do implements aws.HTTPClient.
func (m metadataOnly) Do(req *http.Request) (*http.Response, error) {
	if req.URL.Hostname() != metadataHost {
		return nil, errors.New("awstest: a request to " + req.URL.Host + " would leave the cloud")
	}
	if m.instance == nil {
		return nil, errors.New("awstest: there is no instance metadata service outside of an instance")
	}
	if err := m.instance.cloud.sleep(req.Context(), m.instance.cloud.opts.Latency); err != nil {
		return nil, err
	}
	status, header, body := m.instance.answerMetadata(req)
	return &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: req,
	}, nil
}

func (i *Instance) answerMetadata(req *http.Request) (status int, header http.Header, body string) {
	header = http.Header{}
	path := req.URL.Path
	if path == "/latest/api/token" {
		ttl, err := strconv.Atoi(req.Header.Get(metadataTTL))
		if req.Method != http.MethodPut || err != nil || ttl < 1 || ttl > 21600 {
			return http.StatusBadRequest, header, ""
		}
		header.Set(metadataTTL, strconv.Itoa(ttl))
		return http.StatusOK, header, strconv.FormatInt(time.Now().Add(time.Duration(ttl)*time.Second).Unix(), 10)
	}
	expiry, err := strconv.ParseInt(req.Header.Get(metadataToken), 10, 64)
	if err != nil || time.Now().Unix() >= expiry {
		return http.StatusUnauthorized, header, ""
	}
	i.cloud.Update(func(tx *Tx) { status, body = i.metadataAt(tx, path) })
	return status, header, body
}

func (i *Instance) metadataAt(tx *Tx, path string) (status int, body string) {
	if !i.live {
		return http.StatusServiceUnavailable, ""
	}
	if path == "/latest/dynamic/instance-identity/document" {
		return http.StatusOK, i.identityDocument()
	}
	item, _ := strings.CutPrefix(path, "/latest/meta-data/")
	if value, ok := i.metadataItem(item); ok {
		return http.StatusOK, value
	}
	if !absentByNature(item) {
		tx.problem(&NotModelledError{Service: "ec2imds", Operation: "GetMetadata", What: "path " + path})
	}
	return http.StatusNotFound, ""
}

// absentByNature tells whether it is an answer that there is nothing at a path.
func absentByNature(item string) bool {
	return item == "public-ipv4" || strings.HasPrefix(item, "autoscaling/") || strings.HasPrefix(item, "spot/") || strings.HasPrefix(item, "events/") || strings.HasPrefix(item, "tags/")
}

func (i *Instance) metadataItem(path string) (string, bool) {
	switch path {
	case "instance-id":
		return i.id, true
	case "placement/availability-zone":
		return i.zone.name, true
	case "placement/availability-zone-id":
		return i.zone.id, true
	case "placement/region":
		return i.zone.region.name, true
	case "local-ipv4":
		if !i.private.IsValid() {
			return "", false
		}
		return i.private.String(), true
	}
	value, ok := i.metadata[path]
	return value, ok
}

func (i *Instance) identityDocument() string {
	privateIP, _ := i.metadataItem("local-ipv4")
	document, err := json.Marshal(map[string]any{
		"accountId":        i.cloud.opts.AccountID,
		"architecture":     "x86_64",
		"availabilityZone": i.zone.name,
		"imageId":          i.metadata["ami-id"],
		"instanceId":       i.id,
		"instanceType":     i.metadata["instance-type"],
		"pendingTime":      i.launched.UTC().Format(time.RFC3339),
		"privateIp":        privateIP,
		"region":           i.zone.region.name,
		"version":          "2017-09-30",
	})
	if err != nil {
		return ""
	}
	return string(document)
}

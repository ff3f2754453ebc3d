package conformance_test

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	type readable struct {
		Endpoint, Regions, Credentials, Emulator, Image string
		AWS, Required, Anywhere                         bool
	}
	for name, c := range map[string]struct {
		environ []string
		want    readable
	}{
		"nothing is set": {nil, readable{
			Regions: "us-east-1 eu-west-1", Credentials: "static", Emulator: "moto", Image: emulatedImage,
		}},
		"empty is not set": {[]string{"AWSHA_CONFORMANCE_ENDPOINT=", "AWSHA_CONFORMANCE_REQUIRED="}, readable{
			Regions: "us-east-1 eu-west-1", Credentials: "static", Emulator: "moto", Image: emulatedImage,
		}},
		"moto": {[]string{"HOME=x", "AWSHA_CONFORMANCE_ENDPOINT=http://127.0.0.1:5000", "AWSHA_CONFORMANCE_REQUIRED=1"}, readable{
			Endpoint: "http://127.0.0.1:5000", Regions: "us-east-1 eu-west-1", Credentials: "static", Emulator: "moto",
			Image: emulatedImage, Required: true, Anywhere: true,
		}},
		"another emulator": {
			[]string{
				"AWSHA_CONFORMANCE_ENDPOINT=https://x.test", "AWSHA_CONFORMANCE_EMULATOR=none", "AWSHA_CONFORMANCE_IMAGE=ami-1",
				"AWSHA_CONFORMANCE_CREDENTIALS=default", "AWSHA_CONFORMANCE_REGIONS=eu-central-1,us-gov-west-1", "AWSHA_CONFORMANCE_REQUIRED=0",
			},
			readable{
				Endpoint: "https://x.test", Regions: "eu-central-1 us-gov-west-1", Credentials: "default", Emulator: "none", Image: "ami-1", Anywhere: true,
			},
		},
		"a real account": {[]string{"AWSHA_CONFORMANCE_ENDPOINT=aws", "AWSHA_CONFORMANCE_IMAGE=ami-1"}, readable{
			Regions: "us-east-1 eu-west-1", Credentials: "default", Emulator: "none", Image: "ami-1", AWS: true, Anywhere: true,
		}},
	} {
		s, err := readSettings(c.environ)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := readable{
			Regions: strings.Join(s.regions[:], " "), Credentials: string(s.credentials), Emulator: string(s.emulator), Image: s.image,
			AWS: s.onAWS, Required: s.required, Anywhere: s.anywhere(),
		}
		if s.endpoint != nil {
			got.Endpoint = s.endpoint.String()
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestSettingsRefuse(t *testing.T) {
	t.Parallel()
	_, err := readSettings([]string{
		"AWSHA_CONFORMANCE_ENDPOINT=localhost:5000", "AWSHA_CONFORMANCE_REGIONS=us-east-1", "AWSHA_CONFORMANCE_CREDENTIALS=mine",
		"AWSHA_CONFORMANCE_EMULATOR=mto", "AWSHA_CONFORMANCE_REQUIRED=perhaps", "AWSHA_CONFORMANCE_REGION=us-east-1",
	})
	want := []string{
		`conformance: AWSHA_CONFORMANCE_ENDPOINT: "localhost:5000" must be a URL that begins with http:// or https://, or aws for a real account`,
		`conformance: AWSHA_CONFORMANCE_REGIONS: "us-east-1" must be two regions with a comma in between, as in us-east-1,eu-west-1`,
		`conformance: AWSHA_CONFORMANCE_CREDENTIALS: "mine" must be static or default`,
		`conformance: AWSHA_CONFORMANCE_EMULATOR: "mto" must be moto or none`,
		`conformance: AWSHA_CONFORMANCE_REQUIRED: "perhaps" must be 1 or 0`,
		`conformance: AWSHA_CONFORMANCE_REGION: "us-east-1" is for a setting that does not exist`,
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Error(diff)
	}
	_, err = readSettings([]string{"AWSHA_CONFORMANCE_ENDPOINT=aws", "AWSHA_CONFORMANCE_EMULATOR=moto", "AWSHA_CONFORMANCE_REGIONS=us-east-1,us-east-1"})
	want = []string{
		`conformance: AWSHA_CONFORMANCE_REGIONS: "us-east-1,us-east-1" must be two regions with a comma in between, as in us-east-1,eu-west-1`,
		`conformance: AWSHA_CONFORMANCE_IMAGE: "" must be an AMI of the first region that starts on t3.micro, on a real account`,
		`conformance: AWSHA_CONFORMANCE_EMULATOR: "moto" must be none on a real account`,
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Error(diff)
	}
}

func TestCABundle(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // one client is to hang up on it
	server.StartTLS()
	defer server.Close()
	dir := t.TempDir()
	write := func(name string, text []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	good := write("good", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	bad := write("bad", []byte("no certificate"))

	s, err := readSettings([]string{"AWSHA_CONFORMANCE_CA_BUNDLE=" + good})
	if err != nil || s.roots == nil {
		t.Errorf("roots %v, error %v", s.roots, err)
	}
	for file, want := range map[string]string{bad: "must be a file with certificates in PEM form", dir: "must be a file that can be read"} {
		if _, err := readSettings([]string{"AWSHA_CONFORMANCE_CA_BUNDLE=" + file}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
	}

	// A place believes whom the bundle vouches for, and nobody else.
	for _, c := range []struct {
		settings settings
		believes bool
	}{{s, true}, {settings{}, false}} {
		client := c.settings.httpClient()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err == nil {
			res.Body.Close()
		}
		if (err == nil) != c.believes {
			t.Errorf("with the bundle %t: %v", c.believes, err)
		}
		client.CloseIdleConnections()
	}
}

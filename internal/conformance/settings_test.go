package conformance_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// settings say where the suite runs besides awstest. The package page describes them.
type settings struct {
	endpoint    *url.URL // nil: nowhere, or on AWS
	onAWS       bool
	roots       *x509.CertPool // nil: those of the system
	regions     [2]string
	credentials credentials
	emulator    emulator
	image       string
	required    bool
}

// credentials are where credentials come from.
type credentials string

const (
	staticCredentials  credentials = "static"
	defaultCredentials credentials = "default"
)

// emulator is whose known differences apply.
type emulator string

const (
	moto emulator = motoName
	none emulator = "none"
)

const (
	prefix         = "AWSHA_CONFORMANCE_"
	realAccount    = "aws" // in place of an endpoint
	emulatedImage  = "ami-0abcdef1234567890"
	defaultRegions = "us-east-1,eu-west-1"
)

// A settingError is one rule that a setting breaks.
type settingError struct{ name, value, rule string }

func (e *settingError) Error() string {
	return fmt.Sprintf("conformance: %s%s: %q %s", prefix, e.name, e.value, e.rule)
}

// anywhere tells whether there is a place to run on over HTTP.
func (s *settings) anywhere() bool { return s.onAWS || s.endpoint != nil }

// readSettings reads the settings out of an environment, and reports every mistake at once.
func readSettings(environ []string) (settings, error) {
	given := map[string]string{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if name, ours := strings.CutPrefix(name, prefix); ours && value != "" {
			given[name] = value
		}
	}
	s := settings{credentials: staticCredentials, emulator: moto, image: emulatedImage}
	var errs []error
	// read hands a setting that is given to a function that returns the rule that it breaks.
	read := func(name string, set func(value string) (rule string)) {
		value, ok := given[name]
		delete(given, name)
		if !ok {
			return
		}
		if rule := set(value); rule != "" {
			errs = append(errs, &settingError{name, value, rule})
		}
	}
	read("ENDPOINT", s.setEndpoint)
	if s.onAWS {
		s.credentials, s.emulator, s.image = defaultCredentials, none, ""
	}
	read("CA_BUNDLE", s.setRoots)
	_ = s.setRegions(defaultRegions)
	read("REGIONS", s.setRegions)
	read("CREDENTIALS", func(v string) string { return oneOf(&s.credentials, v, staticCredentials, defaultCredentials) })
	read("EMULATOR", func(v string) string { return oneOf(&s.emulator, v, moto, none) })
	read("IMAGE", func(v string) string { s.image = v; return "" })
	read("REQUIRED", func(v string) (rule string) {
		var err error
		if s.required, err = strconv.ParseBool(v); err != nil {
			return "must be 1 or 0"
		}
		return ""
	})
	for name, value := range given {
		errs = append(errs, &settingError{name, value, "is for a setting that does not exist"})
	}
	if s.onAWS && s.image == "" {
		errs = append(errs, &settingError{"IMAGE", "", "must be an AMI of the first region that starts on t3.micro, on a real account"})
	}
	if s.onAWS && s.emulator != none {
		errs = append(errs, &settingError{"EMULATOR", string(s.emulator), "must be none on a real account"})
	}
	return s, errors.Join(errs...)
}

func (s *settings) setEndpoint(value string) (rule string) {
	if value == realAccount {
		s.onAWS = true
		return ""
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "must be a URL that begins with http:// or https://, or aws for a real account"
	}
	s.endpoint = u
	return ""
}

func (s *settings) setRoots(file string) (rule string) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "must be a file that can be read: " + err.Error()
	}
	s.roots = x509.NewCertPool()
	if !s.roots.AppendCertsFromPEM(text) {
		return "must be a file with certificates in PEM form"
	}
	return ""
}

var regionName = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)

func (s *settings) setRegions(pair string) (rule string) {
	first, second, _ := strings.Cut(pair, ",")
	if !regionName.MatchString(first) || !regionName.MatchString(second) || first == second {
		return "must be two regions with a comma in between, as in " + defaultRegions
	}
	s.regions = [2]string{first, second}
	return ""
}

func oneOf[T ~string](to *T, value string, a, b T) (rule string) {
	if *to = T(value); *to != a && *to != b {
		return fmt.Sprintf("must be %s or %s", a, b)
	}
	return ""
}

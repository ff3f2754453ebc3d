package ec2model

import (
	"iter"
	"regexp"
	"strconv"
	"time"

	"github.com/awsha/awsha/awstest"
)

// LaunchTemplate is a launch template. What it launches is in its versions.
type LaunchTemplate struct {
	ID, Name  string
	CreatedAt time.Time
	Default   int64 // version
	Latest    int64 // version: the youngest that has not been deleted
	Made      int64 // versions so far: a number is not given twice
	Tags      Tags
}

// TemplateVersion is a version of a launch template. It never changes.
type TemplateVersion struct {
	Template    string // ID
	Number      int64
	Description string
	CreatedAt   time.Time
	Data        LaunchData
	Document    string // what the service was given, in a form of its own
}

// versionKey is where a version is kept.
type versionKey struct {
	template string
	number   int64
}

// TemplateRef names a launch template, by its ID or by its name.
type TemplateRef struct{ ID, Name string }

// Template returns a launch template as of a moment.
func (r *Region) Template(at time.Time, ref TemplateRef) (LaunchTemplate, error) {
	switch {
	case ref.ID != "" && ref.Name != "":
		return LaunchTemplate{}, awstest.Errorf("InvalidParameterCombination", "You may specify either a launch template ID or a launch template name, but not both")
	case ref.ID == "" && ref.Name == "":
		return LaunchTemplate{}, awstest.Errorf("MissingParameter", "Either a launch template ID or a launch template name must be specified")
	}
	id := ref.ID
	if id == "" {
		id, _ = r.templateNames.Get(at, ref.Name)
	}
	if t, ok := r.templates.Get(at, id); ok {
		return t, nil
	}
	if ref.ID != "" {
		return LaunchTemplate{}, awstest.Errorf("InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID %s, does not exist.", ref.ID)
	}
	return LaunchTemplate{}, awstest.Errorf("InvalidLaunchTemplateName.NotFoundException", "The specified launch template, with template name %s, does not exist.", ref.Name)
}

// Templates yields the launch templates as of a moment.
func (r *Region) Templates(at time.Time) iter.Seq2[string, LaunchTemplate] {
	return r.templates.All(at)
}

// The versions of a template that have a name.
const (
	LatestVersion  = "$Latest"
	DefaultVersion = "$Default"
)

// TemplateVersion returns a version of a launch template as of a moment, by
// its number or by its name; the empty version is the default one.
func (r *Region) TemplateVersion(at time.Time, t LaunchTemplate, version string) (TemplateVersion, error) {
	number := t.Default
	switch version {
	case "", DefaultVersion:
	case LatestVersion:
		number = t.Latest
	default:
		n, err := strconv.ParseInt(version, 10, 64)
		if err != nil { // AWS documents no code
			return TemplateVersion{}, awstest.Errorf("InvalidParameterValue", "The version %s is neither a number nor %s nor %s.", version, LatestVersion, DefaultVersion)
		}
		number = n
	}
	if v, ok := r.templateVersions.Get(at, versionKey{t.ID, number}); ok {
		return v, nil
	}
	return TemplateVersion{}, awstest.Errorf("InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version %s for the launch template with ID %s.", version, t.ID)
}

// TemplateVersions yields the versions of a launch template as of a moment,
// oldest first.
func (r *Region) TemplateVersions(at time.Time, t LaunchTemplate) iter.Seq[TemplateVersion] {
	return func(yield func(TemplateVersion) bool) {
		for n := range t.Made {
			if v, ok := r.templateVersions.Get(at, versionKey{t.ID, n + 1}); ok && !yield(v) {
				return
			}
		}
	}
}

// The tags that AWS sets on instances that come from a launch template.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-launch-templates.html (read 2026-11)
const (
	templateIDTag      = "aws:ec2launchtemplate:id"
	templateVersionTag = "aws:ec2launchtemplate:version"
)

// Mark returns the data of a launch that goes by this version, with AWS's tags
// on the instances. Launches by the version alone are of v.Mark(v.Data).
func (v *TemplateVersion) Mark(data LaunchData) LaunchData {
	data.Tags = data.Tags.With(Tag{templateIDTag, v.Template}).With(Tag{templateVersionTag, strconv.FormatInt(v.Number, 10)})
	return data
}

// What the name of a launch template may be.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (read 2026-11)
var templateName = regexp.MustCompile(`^[a-zA-Z0-9()./_-]{3,128}$`)

// TemplateSpec is what CreateLaunchTemplate asks for.
type TemplateSpec struct {
	Name  string
	Tags  Tags
	First VersionSpec
}

// VersionSpec is what CreateLaunchTemplateVersion asks for.
type VersionSpec struct {
	Description string
	Data        LaunchData
	Document    string
	Token       string
	Request     string // to tell whether a token comes with the same request again
}

// CreateTemplate makes a launch template with its first version, which is the
// default.
func (r *Region) CreateTemplate(tx *awstest.Tx, spec TemplateSpec) (LaunchTemplate, error) {
	token := token{operation: "CreateLaunchTemplate", text: spec.First.Token}
	if ids, known, err := r.recall(token, spec.First.Request); err != nil {
		return LaunchTemplate{}, err
	} else if known {
		return r.Template(tx.Now(), TemplateRef{ID: ids[0]})
	}
	if !templateName.MatchString(spec.Name) {
		return LaunchTemplate{}, awstest.Errorf("InvalidLaunchTemplateName.MalformedException", "A launch template name must be between 3 and 128 characters, and may contain letters, numbers, and the following characters: - ( ) . / _.")
	}
	if _, taken := r.templateNames.Get(tx.Now(), spec.Name); taken {
		return LaunchTemplate{}, awstest.Errorf("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
	}
	t := LaunchTemplate{ID: tx.NewID("lt"), Name: spec.Name, CreatedAt: tx.Now(), Default: 1, Tags: spec.Tags}
	r.templates.Put(tx.Now(), t.ID, t)
	r.templateNames.Put(tx.Now(), t.Name, t.ID)
	r.remember(token, spec.First.Request, t.ID)
	t, _ = r.addVersion(tx, t.ID, spec.First)
	return t, nil
}

// AddTemplateVersion adds a version to a launch template.
func (r *Region) AddTemplateVersion(tx *awstest.Tx, t LaunchTemplate, spec VersionSpec) (TemplateVersion, error) {
	token := token{operation: "CreateLaunchTemplateVersion", text: spec.Token}
	if numbers, known, err := r.recall(token, spec.Request); err != nil {
		return TemplateVersion{}, err
	} else if known {
		return r.TemplateVersion(tx.Now(), t, numbers[0])
	}
	_, v := r.addVersion(tx, t.ID, spec)
	r.remember(token, spec.Request, strconv.FormatInt(v.Number, 10))
	return v, nil
}

func (r *Region) addVersion(tx *awstest.Tx, id string, spec VersionSpec) (LaunchTemplate, TemplateVersion) {
	t := change(tx, r.templates, id, func(t *LaunchTemplate) {
		t.Made++
		t.Latest = t.Made
	})
	v := TemplateVersion{
		Template: id, Number: t.Latest, CreatedAt: tx.Now(),
		Description: spec.Description, Data: spec.Data, Document: spec.Document,
	}
	r.templateVersions.Put(tx.Now(), versionKey{id, v.Number}, v)
	return t, v
}

// SetDefaultVersion makes a version, which must be there, the default one.
func (r *Region) SetDefaultVersion(tx *awstest.Tx, id string, number int64) LaunchTemplate {
	return change(tx, r.templates, id, func(t *LaunchTemplate) { t.Default = number })
}

// DeleteTemplate deletes a launch template with all of its versions.
func (r *Region) DeleteTemplate(tx *awstest.Tx, t LaunchTemplate) {
	for n := range t.Made {
		r.templateVersions.Delete(tx.Now(), versionKey{t.ID, n + 1})
	}
	r.templates.Delete(tx.Now(), t.ID)
	r.templateNames.Delete(tx.Now(), t.Name)
}

// DeleteVersion deletes a version that is not the default. AWS does not say
// what the latest version is when the youngest is gone; here it is the
// youngest that is left.
func (r *Region) DeleteVersion(tx *awstest.Tx, id string, number int64) {
	r.templateVersions.Delete(tx.Now(), versionKey{id, number})
	t, _ := r.templates.Get(tx.Now(), id)
	for t.Latest > 1 {
		if _, ok := r.templateVersions.Get(tx.Now(), versionKey{id, t.Latest}); ok {
			break
		}
		t.Latest--
	}
	change(tx, r.templates, id, func(now *LaunchTemplate) { now.Latest = t.Latest })
}

// SetTemplateTags replaces the tags of a launch template.
func (r *Region) SetTemplateTags(tx *awstest.Tx, id string, tags Tags) {
	change(tx, r.templates, id, func(t *LaunchTemplate) { t.Tags = tags })
}

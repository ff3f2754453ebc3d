// Package ec2svc is Amazon EC2 for awstest: zones, subnets, internet gateways,
// network interfaces, security groups, Elastic IP addresses, instances, launch templates, EBS
// volumes and snapshots, status checks and tags, behind the SDK's own *ec2.Client.
//
//	cloud, err := awstest.New([]awstest.Service{ec2svc.New()})
//	client := ec2.NewFromConfig(cloud.Config("us-east-1"))
//
// # When to use it
//
// Use it to test and to rehearse what a program does with EC2 when a zone, an
// instance or EC2 itself fails. It models what high availability depends on
// and nothing else: it has no public images, no routes and no
// prices. What it does not know it refuses with [awstest.ErrNotModelled], an
// operation, a parameter or a filter alike, and [awstest.Cloud.Close] returns
// the refusal once more.
//
// # How it works
//
// Every region starts like a new account: a default VPC, 172.31.0.0/16, with
// a /20 subnet in each zone and an internet gateway. Options.LocalZones adds Local
// Zones, each with a subnet and a network border group of its own. An instance goes from pending to running, from
// stopping to stopped and from shutting-down to terminated after the times of
// [Options]; it is a machine of the cloud from its launch on, see
// [awstest.Cloud.Instance]. Its private addresses and the Elastic IP
// addresses that are associated with them lead to it, see
// [awstest.Cloud.Dial]. A terminated instance is described for another hour.
//
// Describe operations stand behind changes by [awstest.Options].VisibilityLag
// or by the effect [awstest.Stale]; what they show together (an instance, its
// interfaces, their addresses) is from one moment. Changes always look at the
// present.
//
// A zone that has lost its power or its network refuses launches and starts
// with InsufficientInstanceCapacity, whatever is reserved there, is unavailable to
// DescribeAvailabilityZones, and holds up every change of state in it until
// it is healed, as [awstest.Cloud.Stick] does for one instance. Its instances stay running to the API; after
// Options.StatusCheck their status checks are impaired.
//
// Security groups are coarse: an interface whose groups have no rule for what comes in takes no new connections, one whose groups have any takes all, whatever
// ports and peers the rules name; and so for connections that an instance opens, by its primary interface. Connections that are open go on, as those do that
// AWS tracks; those that it does not track it ends at once, which is not modelled. Calls to AWS are not held up. The default group lets everything in, where
// AWS's lets in its own members alone, so that tests need no rules; and a launch may name groups that nobody has made: it passes them over.
//
// Every instance has a root volume, as those of images that are backed by EBS have.
// Volumes are created, attached, detached and deleted after times of their own;
// a dead zone holds all of that up, and so does Stick for one volume: a volume
// that is attaching for ever. A volume stays in use until it is detached,
// whatever its attachment says. A machine that runs and cannot be reached does
// not let go of its volumes: to detach them takes Force, a stop or a
// termination, or that the machine comes back. [MountVolume] has a machine that
// is well hold on to a volume.
//
// Volumes are encrypted with the keys of kmssvc, if the cloud has it. A key
// that cannot be used is no error of the call: a volume that is being created
// vanishes, one that is being attached is available again, an instance that is
// being launched or started is terminated or stopped.
//
// A snapshot has what was on its volume when it was begun; [WriteVolume] and [ReadVolume] are the programs
// that write and read. It is pending for Options.Snapshot, or Options.FullSnapshot if the last completed one of the volume is gone or there was none
// ([IsFullSnapshot] tells): in AWS it depends on what has been written. Snapshots are of the region, and a zone that fails takes none away. One that
// is pending is held up while the zone of its volume is dead, since its data have yet to leave it: AWS does not document that.
// Snapshots that CreateSnapshots makes together end together. [FailSnapshot] makes one fail, and a key that cannot be used at the end does as well.
// Copies take Options.SnapshotCopy or FullSnapshotCopy, one of the same volume after the other. Only Stick holds them up, no zone does.
//
// An image is pending until its snapshots are completed, and has failed if one of them has. It has them, also while it is disabled: they cannot be deleted. Images of
// this account are those that CreateImage and CopyImage made; a launch of any other ID is one of a public image, and gets an empty root volume.
//
// # Operations
//
// Each line says what is as AWS documents it, what is simplified, and what is
// not there. All operations but AssignPrivateIpAddresses have DryRun, which
// is not denied unless a fault denies it, and does not look at the rest of the
// request.
//
//   - DescribeAvailabilityZones: IDs, names and the mapping between them; Availability Zones, and the Local Zones of the options, which are opted in: those that AWS has besides are not shown, whatever AllAvailabilityZones says. A zone that is down is unavailable at once, where AWS may say it late or never; [MarkZone] has it say something else. The parent of a Local Zone is the region's first zone. No Wavelength Zones.
//   - DescribeVpcs: the default VPC. There is no other.
//   - DescribeSubnets: the default subnets and those in Local Zones, with their free addresses as of now. Instances get no public address by themselves.
//   - CreateInternetGateway: tags. No quota.
//   - DeleteInternetGateway: refused while attached.
//   - AttachInternetGateway: one gateway to a VPC, one VPC to a gateway. Attached at once.
//   - DetachInternetGateway: refused while an Elastic IP address is associated in the VPC, also one on an interface without an instance, where AWS's page has running instances. Detached at once.
//   - DescribeInternetGateways: IDs, filters, pages.
//   - CreateNetworkInterface: ClientToken, primary address, tags. Available at once. Security groups that nobody has made are passed over.
//   - DeleteNetworkInterface: refused while attached; its Elastic IP addresses become free.
//   - AttachNetworkInterface: running or stopped instance of the same zone, free device index. Attached at once, on network card 0, without limits by instance type.
//   - DetachNetworkInterface: any but the primary interface; Elastic IP addresses stay on it. Detached at once, with or without Force.
//   - AssignPrivateIpAddresses: by address or by count, all or none. Not AllowReassignment, no prefixes.
//   - DescribeNetworkInterfaces: IDs, filters, pages.
//   - ModifyNetworkInterfaceAttribute: the security groups, at once. Nothing else.
//   - ModifyInstanceAttribute: the security groups of an instance with one interface, at once. Nothing else.
//   - CreateSecurityGroup: in the default VPC; unique names, tags. Nothing comes in, everything goes out. No quota.
//   - DeleteSecurityGroup: unless an interface has it or another group names it.
//   - DescribeSecurityGroups: IDs, names, filters on the groups but not on their rules, pages.
//   - AuthorizeSecurityGroupIngress: by ranges of addresses and by groups, all or none; at once. Rules have no IDs and no tags. No prefix lists, no groups of other accounts, no quota.
//   - AuthorizeSecurityGroupEgress: the same.
//   - RevokeSecurityGroupIngress: by what the rules say; those that the group does not have are told in the reply, as in a default VPC. Not by ID.
//   - RevokeSecurityGroupEgress: the same.
//   - AllocateAddress: the quota, network border groups, tags. Addresses are of the ranges for documentation and benchmarks and never given out twice. No pools, no recovery.
//   - ReleaseAddress: of the network border group named, or else the region's; refused while associated, as AWS does outside of a default VPC; in a default VPC AWS documents that it disassociates.
//   - AssociateAddress: into a VPC with an internet gateway, within a network border group, by instance or interface and private address; AllowReassociation, which is true when it is left out; another address on the target is displaced; a repeat returns the same association. Takes effect at once.
//   - DisassociateAddress: an association that has ended is no error, as documented. Accounts have been seen to answer InvalidAssociationID.NotFound: inject it with [awstest.Reject] to be ready for both.
//   - DescribeAddresses: allocation IDs, public IPs, filters. It has no pages, in AWS neither.
//   - RunInstances: ClientToken, zonal if the request itself, and not its template, names the zone, a subnet or an interface, else regional; capacity; placement by zone; one interface that exists, or several new ones in one subnet; block device mappings; tags. Volumes come from the image, if it is one of this account, and mappings say what they leave to it. Other images and the type may be anything; their root volume is one of 8 GiB of gp3 unless a mapping of Options.RootDevice says otherwise. Security groups that nobody has made are passed over, and existing interfaces keep theirs. User data, profile, monitoring, metadata and EBS options are accepted and ignored. Mappings have no snapshots and no instance store. A launch template fills in what the request does not say, parameter by parameter, and its instances have AWS's two tags. Capacity comes from a targeted Capacity Reservation, else from open ones that match, else from zonal Reserved Instances and what is left, within Options.VCPUQuota; a launch whose MaxCount is beyond that gets what is left if that is MinCount, which AWS does not say. No Spot, no groups of reservations.
//   - CreateLaunchTemplate: the name, the first version, tags, ClientToken. Data that are modelled for RunInstances; what they name need not exist, as in AWS. There are no warnings about data that will not do, and no quotas.
//   - CreateLaunchTemplateVersion: SourceVersion, whose parameters are replaced by those given, each as a whole.
//   - ModifyLaunchTemplate: the default version, by number. A repeat is no mistake, with or without its ClientToken.
//   - DeleteLaunchTemplate: with all of its versions; instances stay.
//   - DeleteLaunchTemplateVersions: any but the default version; what cannot be deleted is said in the reply. The latest version is then the youngest that is left, which AWS does not document.
//   - DescribeLaunchTemplates: IDs, names, filters, pages.
//   - DescribeLaunchTemplateVersions: numbers, $Latest and $Default, of one template or of all; filters, pages. A template's versions come youngest first. No MinVersion or MaxVersion.
//   - CreateCapacityReservation: Linux and other platforms, of which only Linux has instances here; by zone name or ID; open or targeted; with an end or without; ClientToken; tags. It needs capacity, and is active at once, where AWS may show it as pending for minutes. It counts for Options.VCPUQuota. No future-dated ones, no shared ones, no groups, no other quota.
//   - CancelCapacityReservation: instances in it run on. A repeat is no mistake.
//   - DescribeCapacityReservations: IDs, filters, pages. Those that have ended are shown for ever.
//   - DescribeReservedInstances: IDs, filters. They are put in by [Reserve].
//   - DescribeInstanceTypeOfferings: by region, zone or zone ID, filters, pages. Every zone offers every type unless Options.NotOffered has it; those that nobody has named are a few.
//   - DescribeInstanceTypes: types, filters, pages. What is shown, vCPUs and instance storage, is made of the name of the type by AWS's rules for names, a small table and Options.VCPUs.
//   - StartInstances: capacity is asked for again, and the quota of vCPUs looked at; refused without a root volume.
//   - StopInstances: machines stop at once, in good order, and are stopped after Options.Stopping. With SkipOsShutdown they lose their power: connections fall silent, as nobody closes them. Force makes no difference, as it tries a shutdown first and none here takes too long; what [awstest.Cloud.Stick] holds up it does not end. No hibernation.
//   - RebootInstances: takes no time; terminated instances are passed over. To the status checks the instance starts anew.
//   - TerminateInstances: idempotent; interfaces and volumes that were launched with the instance go, others live on, interfaces with their addresses. Volumes are free when the instance is terminated. SkipOsShutdown and Force are as for StopInstances. No termination protection.
//   - DescribeInstances: IDs, filters, pages. It works while a zone is down, where AWS documents that a call that concerns the zone fails: inject [awstest.Unavailable] for that.
//   - CreateVolume: zone by name or ID, the types with their sizes, IOPS and throughput, encryption, ClientToken, tags. A zone that is down has no capacity, for which AWS documents no error. Of a completed snapshot, with its size and its key unless the request has others; what is on it can be read at once. VolumeInitializationRate is checked, and has no quota. No Multi-Attach, no quotas.
//   - DeleteVolume: of one that is available or in the state error. It is deleting, then gone.
//   - AttachVolume: running or stopped instance of the same zone, device names that are free, Options.AttachmentLimit for all types of instances. /dev/sdf and /dev/xvdf are two names, and which the image takes is not looked at. No EBS cards.
//   - DetachVolume: by the volume, by its instance and device as well, with Force; to force it once more puts nothing off, which AWS does not say. Of the root volume only while the instance is stopped. Also while it is attaching, for which AWS documents nothing.
//   - DescribeVolumes: IDs, filters, pages.
//   - DescribeVolumeStatus: the check of I/O. A dead zone impairs all volumes in it after Options.VolumeStatusCheck, whether it has lost power or network, until as long after its end; nothing else impairs them. How much of its snapshot a volume has fetched is shown by time, at 50 MiB/s without a rate, which AWS does not promise. No performance, no events and no actions: AWS may disable I/O after a loss of power until EnableVolumeIO.
//   - CreateSnapshot: of a volume that is available or in use, in whatever state its attachment is; the limits of the volume, the region's quotas, tags. It has no ClientToken: what is sent twice is made twice. No Location, no Outposts.
//   - CreateSnapshots: all or some volumes of an instance, at one instant, all or none; CopyTagsFromSource, beside which the tags of the request win, as AWS does not say. One that fails fails all. The codes for volumes that cannot be left out are not documented. No Location, no Outposts.
//   - CopySnapshot: called in the destination region. Own start, own tags, a volume that does not exist; the key of the account for EBS unless the request names another one. CompletionDurationMinutes bounds how long it takes, without the quotas of throughput. A presigned URL that is for another source, a source that is deleted before the end and a key that cannot be used make it fail later; which of the two regions is asked about the second AWS does not say. A copy does not count as a pending snapshot, and one that is deleted keeps its place until it would have ended: neither is documented. No Local Zones, no Outposts.
//   - DeleteSnapshot: in any state, unless an image has it or it is locked. One that was pending counts as such until it would have ended, one that failed until it is deleted. Volumes that were made of it keep what they have. No Recycle Bin.
//   - DescribeSnapshots: IDs, owners, filters, pages. Progress grows evenly. Snapshots of other accounts and of services are made by [ShareSnapshot] and [ManageSnapshot].
//   - DescribeInstanceStatus: the system and the instance check. A failure shows after Options.StatusCheck, as long after its end, and not at all if it was shorter. The attached EBS check is that of a dead zone, [StallVolume] and [FailVolume], for all types of instances. No scheduled events, no ImpairedSince.
//   - LockSnapshot: both modes, by days or by date, with a cooling-off period. What compliance mode does not allow is refused with a code that AWS does not document.
//   - UnlockSnapshot: in governance mode and while cooling off.
//   - DescribeLockedSnapshots: IDs, lock-state, pages. Locks that have expired are shown.
//   - CreateImage: of an instance that runs or is stopped, whose snapshots are of one instant; unique names, tags of the image and of its snapshots, NoReboot, volumes that are left out by NoDevice. The limits of snapshots hold. It has no ClientToken: what is sent twice is refused for its name. No other mappings, no Local Zones, no Outposts.
//   - CopyImage: called in the destination region. Unique names, ClientToken, CopyImageTags, keys, SnapshotCopyCompletionDurationMinutes. Its copies do not count among those of snapshots, which AWS does not say. A key that cannot be used makes it fail later. No Local Zones, no Outposts.
//   - DeregisterImage: DeleteAssociatedSnapshots, with what became of each. The second time the image is no longer available, as accounts answer. The image may be protected, and AWS documents no code for that. No Recycle Bin.
//   - EnableImageDeprecation: to the minute, in the next ten years. Images of others are not modelled, so that nothing is hidden by it.
//   - DisableImageDeprecation: also of one that is not to be deprecated.
//   - DisableImage: of an available one. A repeat is no mistake.
//   - EnableImage: of a disabled one. A repeat is no mistake.
//   - EnableImageDeregistrationProtection: with a cooldown or without.
//   - DisableImageDeregistrationProtection: the cooldown goes on for 24 hours.
//   - DescribeImages: IDs, owners, filters, pages; IncludeDisabled. A pending image shows no mappings, of which AWS says nothing. All are of the account.
//   - CreateTags: the rules for keys and values, 50 tags a resource, all of the resources or none. Tags of instances, interfaces, security groups, addresses, internet gateways, volumes, snapshots, images, launch templates and Capacity Reservations.
//   - DeleteTags: by key, or by key and value, or all but AWS's own.
//   - DescribeTags: filters, pages.
//
// A page token is a place in the result: what is added or goes between two
// pages may move a resource from one to the next. Without MaxResults all is
// on one page.
//
// # What belongs to others
//
// [ManageAddress] and [ManageInterface] put an address or an interface into
// the hands of a service of AWS, [ShareInterface] gives an interface to
// another account, and [ManageSnapshot] and [ShareSnapshot] do so with snapshots.
// The account sees them and is refused with AuthFailure when it changes them, but
// for snapshots of services: those of AWS Backup are refused with
// InvalidParameterValue, and those of Data Lifecycle Manager not at all. No operation of EC2 does that to what exists: in AWS they
// are made so.
//
// # Errors
//
// An error is a *smithy.GenericAPIError inside a response error with an HTTP
// status and a request ID, as the SDK delivers EC2's. The codes are those of
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
// (read 2026-11); the status is 400 unless noted.
//
//   - AddressLimitExceeded: AllocateAddress beyond Options.AddressQuota.
//   - AttachmentLimitExceeded
//   - AuthFailure: changing what belongs to others. Accounts have seen it with the interfaces and addresses of load balancers and NAT gateways; for addresses that show ServiceManaged, and for interfaces of another account, it is likely but not documented. Snapshots of another account are refused as accounts answer for images.
//   - BootForVolumeTypeUnsupported: RunInstances with a root volume of st1 or sc1.
//   - CannotDelete: DeleteSecurityGroup of the default one.
//   - ConcurrentSnapshotLimitExceeded: five pending snapshots of a volume, or one of st1 and sc1; those that failed or were deleted before their end count.
//   - DependencyViolation: DetachInternetGateway while addresses are associated, DeleteInternetGateway while attached, DeleteSecurityGroup while used.
//   - DryRunOperation: status 412.
//   - Gateway.NotAttached: AssociateAddress into a VPC without an internet gateway, DetachInternetGateway of one that is not attached to the VPC.
//   - IdempotentInstanceTerminated: a token whose instance is terminated or shutting down.
//   - IdempotentParameterMismatch: a token with another request; of CreateVolume also one whose volume is deleted, or has vanished for want of its key.
//   - IncorrectInstanceState: CreateSnapshots of an instance that is terminating; CreateImage of one that neither runs nor is stopped; start, stop or reboot from a state that does not allow it; AssociateAddress to an interface of an instance that is pending or terminating.
//   - IncorrectState: CreateVolume or CopySnapshot of a snapshot that is not completed; CopyImage of an image that is not available; LockSnapshot of one that failed; AttachNetworkInterface or AttachVolume to an instance that neither runs nor is stopped; a volume that is not in the state that the call needs; DetachVolume of the root volume of an instance that is not stopped.
//   - InstanceLimitExceeded: CreateCapacityReservation beyond Options.VCPUQuota; AWS's page names it beside Capacity Reservations, and VcpuLimitExceeded beside instances alone.
//   - InsufficientAddressCapacity: status 500, when all 131,000 addresses have been used.
//   - InsufficientFreeAddressesInSubnet
//   - InsufficientInstanceCapacity: status 500, so that the SDK retries it.
//   - InsufficientVolumeCapacity: status 500, of CreateVolume in a zone that is down.
//   - InvalidAMIID.Malformed
//   - InvalidAMIID.NotFound
//   - InvalidAMIID.Unavailable: of an image that has been deregistered, or that cannot be launched now.
//   - InvalidAMIName.Duplicate: also by a failed image.
//   - InvalidAMIName.Malformed
//   - InvalidAddress.NotFound: an unknown public IP, or the wrong network border group.
//   - InvalidAllocationID.NotFound: of ReleaseAddress too, as accounts answer; the page has InvalidAddressID.NotFound there.
//   - InvalidAssociationID.NotFound: an association that never was.
//   - InvalidAttachment.NotFound: DetachVolume from another instance or device than the volume's.
//   - InvalidAttachmentID.NotFound
//   - InvalidBlockDeviceMapping: a device twice; CreateImage without the root device, or without one that there is not.
//   - InvalidCapacityReservationId.Malformed
//   - InvalidCapacityReservationId.NotFound: both as accounts answer.
//   - InvalidClientToken
//   - InvalidGroup.Duplicate
//   - InvalidGroup.NotFound: also of RunInstances and CreateNetworkInterface with a group that has been deleted.
//   - InvalidGroupId.Malformed
//   - InvalidID: CreateTags and DeleteTags of what is no ID.
//   - InvalidIPAddress.InUse
//   - InvalidInstanceID: AssociateAddress to an instance that is pending or terminating (the message alone tells which), or that has several interfaces; ModifyInstanceAttribute of one that has several.
//   - InvalidInstanceID.Malformed
//   - InvalidInstanceID.NotFound
//   - InvalidInternetGatewayID.NotFound
//   - InvalidInternetGatewayId.Malformed
//   - InvalidLaunchTemplateId.Malformed
//   - InvalidLaunchTemplateId.NotFound
//   - InvalidLaunchTemplateId.VersionNotFound
//   - InvalidLaunchTemplateName.AlreadyExistsException
//   - InvalidLaunchTemplateName.MalformedException
//   - InvalidLaunchTemplateName.NotFoundException
//   - InvalidNetworkInterface.InUse
//   - InvalidNetworkInterfaceAttachmentId.Malformed
//   - InvalidNetworkInterfaceID.NotFound
//   - InvalidNetworkInterfaceId.Malformed
//   - InvalidNextToken
//   - InvalidParameterCombination
//   - InvalidParameterDependency: CreateVolume, CopySnapshot or CopyImage with KmsKeyId and without Encrypted.
//   - InvalidParameterValue: AllocateAddress of an unknown network border group among others, for which AWS documents no code.
//   - InvalidPermission.Duplicate: AuthorizeSecurityGroupIngress and AuthorizeSecurityGroupEgress of a rule that is there.
//   - InvalidSecurityGroupID.NotFound: of ModifyNetworkInterfaceAttribute, as accounts answer.
//   - InvalidSnapshot.InUse: DeleteSnapshot of one that an image has, whose ID is in the message.
//   - InvalidSnapshot.NotFound
//   - InvalidSnapshotID.Malformed
//   - InvalidSubnetID.Malformed
//   - InvalidSubnetID.NotFound
//   - InvalidTagKey.Malformed: an empty key, or one that starts with aws:, also of DeleteTags.
//   - InvalidVolume.NotFound
//   - InvalidVolume.ZoneMismatch
//   - InvalidVolumeID.Malformed
//   - InvalidVpcID.Malformed
//   - InvalidVpcID.NotFound
//   - InvalidZone.NotFound: of CreateVolume.
//   - MissingInput: RunInstances into a Local Zone without a subnet. Accounts have been seen to answer InvalidInput as well.
//   - MissingParameter
//   - OperationNotPermitted: DetachNetworkInterface of the primary interface; AssociateAddress across network border groups, for which AWS documents no code: it is what CreateNatGateway answers; what is locked or protected, likewise without one.
//   - PendingSnapshotLimitExceeded: CreateSnapshot and CreateSnapshots beyond Options.PendingSnapshots.
//   - RequestLimitExceeded: status 503, by the effect [awstest.Throttle].
//   - ReservationCapacityExceeded: a launch into a targeted Capacity Reservation that is full or has ended.
//   - Resource.AlreadyAssigned: AssignPrivateIpAddresses of an address that is taken.
//   - Resource.AlreadyAssociated: AssociateAddress without AllowReassociation, AttachInternetGateway of one that is attached.
//   - ResourceLimitExceeded: CopySnapshot beyond Options.ConcurrentCopies, CopyImage beyond 100; the message has the number.
//   - SecurityGroupsPerInterfaceLimitExceeded: more than five.
//   - SnapshotCreationPerVolumeRateExceeded: less than 15 s after the last snapshot of the volume was begun. The SDK does not retry it.
//   - SnapshotLimitExceeded: beyond Options.SnapshotQuota.
//   - TagLimitExceeded
//   - Unavailable: status 503, by the effect [awstest.Unavailable].
//   - UnauthorizedOperation: status 403, by the effect [awstest.Deny].
//   - UnknownVolumeType
//   - Unsupported: a launch, or a Capacity Reservation, of a type that the zone does not offer.
//   - VcpuLimitExceeded: RunInstances and StartInstances beyond Options.VCPUQuota.
//   - VolumeInUse: AttachVolume of one that is attached, DeleteVolume of one in use.
//
// # Cost
//
// A call by ID costs the same among ten resources and among ten thousand; a
// describe without IDs looks at all of them. Old versions are kept for
// [awstest.Memory], client tokens and ended associations for good.
package ec2svc

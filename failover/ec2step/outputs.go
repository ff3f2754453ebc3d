package ec2step

// The keys under which steps put what others need: see [failover.Output].
const (
	InstanceKey  = "instance"  // Launch: the ID of the instance
	InterfaceKey = "interface" // Launch: the ID of its primary interface
	PrivateIPKey = "private-ip"
	ZoneKey      = "zone"   // Launch: the ID of its zone; its name, where EC2 does not tell
	SubnetKey    = "subnet" // Launch
	TypeKey      = "type"   // Launch: its type
	VolumeKey    = "volume" // Restore: the ID of the volume
	DeviceKey    = "device" // Attach: the name that the volume got
	AsOfKey      = "as-of"  // Restore: whose data the volume has, in RFC 3339
)

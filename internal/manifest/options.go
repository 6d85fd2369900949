package manifest

// DefaultMaxItemBytes is the bound of one object unless Options say otherwise. API servers store objects of at most
// 1.5 MiB in etcd; what they add in an answer fits as well.
const DefaultMaxItemBytes = 4 << 20

// Options say what a body is expected to hold and what of it is wanted. The zero value redacts and decides everything by
// what the body says.
type Options struct {
	// MaxItemBytes bounds one item, and all that stands beside the items of a body. Default: DefaultMaxItemBytes.
	// 1 GiB at most.
	MaxItemBytes int
	// ManagedFields keeps metadata.managedFields. Default: they are cut out.
	ManagedFields bool
	// SecretData keeps data, stringData and the annotations that AppliedCopies names of Secrets. Default: they are cut out.
	SecretData bool
	// Secrets says that the objects are Secrets whatever they call themselves: items of typed lists do not say it, and
	// metadata-only ones call themselves PartialObjectMetadata. Secrets that say so are known without it.
	Secrets bool
	// List says that a list was asked for. It makes a difference where `items` stands before `kind`, as in lists of
	// custom resources: items are then delivered as they arrive and the kind is checked at the end, whereas without it
	// the body is held back until it says what it is (see Reader). A body that is no list is malformed.
	List bool
	// Pool takes the buffers of closed readers and hands them to new ones. Default: nothing is reused.
	Pool *Pool
}

func (o Options) maxItemBytes() int64 {
	if o.MaxItemBytes <= 0 {
		return DefaultMaxItemBytes
	}
	return min(int64(o.MaxItemBytes), 1<<30)
}

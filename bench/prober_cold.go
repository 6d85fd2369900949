package main

import "context"

// coldProber does what an aggregator does from its start until each cluster has been probed once, without its servers.
type coldProber struct{ fleetProber }

func (p *coldProber) Prepare(context.Context) error { return nil }

func (p *coldProber) Round(ctx context.Context) (operations int, err error) {
	if err := p.load(); err != nil {
		return 0, err
	}
	return p.fleetProber.Round(ctx)
}

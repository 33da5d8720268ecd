"""What `foretype-proxy` adds and survives: measured against a stand-in worker with fixed timings, and simulated."""

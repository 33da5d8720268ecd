"""What an operator learns beside plain counts: cost, tenants, traces, a log line per request. Never a prompt."""

"""Where text comes from: the edge over a WebSocket or HTTP, the local worker, and the policy between them."""

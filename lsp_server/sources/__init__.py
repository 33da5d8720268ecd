"""Where text comes from: the edge over one WebSocket, the local worker, and the policy that chooses between them."""

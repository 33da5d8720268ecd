"""What the workspace beside the open document is worth, and what it costs."""

"""Where the gateway sends model calls: an endpoint, or a model in this process."""

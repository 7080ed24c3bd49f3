"""The specialists: failure miner, clusterer, harness engineer, gate judge."""

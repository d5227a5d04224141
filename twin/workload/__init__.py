"""Training jobs: their work and volume, the split of micro batches, and collectives; nothing here knows a network."""

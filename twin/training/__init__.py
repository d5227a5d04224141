"""Training: placement, job flows, step timing, batch splits, and the causes of a step's length."""

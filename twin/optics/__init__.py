"""Optics: fibre that ages, optical paths, the GN model, link budgets, FEC, PFC headroom, link health."""

"""Traffic: routing, congestion, and the least possible utilisation."""

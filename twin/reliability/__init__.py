"""Reliability: failure rates, shared risks, outages between sites, interruptions and goodput of a job."""

"""Reliability: failure rates, shared risks, outages between sites, interruptions of a job."""

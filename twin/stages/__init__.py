"""Stages: the pipeline from a network and its job to everything that metrics read."""

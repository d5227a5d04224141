"""Failure analysis: loads after every failure of links, members, nodes and shared risks."""

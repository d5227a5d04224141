"""The report of a network and its plans as one HTML file that opens without a network."""

from .network_report import Report, report

__all__ = ["Report", "report"]

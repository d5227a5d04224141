"""The vocabulary of records, the network that owns the truth, and the rules records keep together."""

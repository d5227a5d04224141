"""What-if scenarios: changes to a network, applied in order, and the checks of their result."""

"""What if: changes on their floors, applied in order, and the difference they make."""

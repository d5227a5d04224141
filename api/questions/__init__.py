"""Questions of the service: one table, and the functions that compute the answers."""

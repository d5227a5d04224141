"""The pipeline on one page, the table of metrics, and the score that all faces print."""

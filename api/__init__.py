"""The HTTP service: the same questions and the same bytes as `import twin` and the `twin` command."""

"""The HTTP face: the same questions and the same bytes as `import twin` and the `twin` command."""

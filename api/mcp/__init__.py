"""MCP server: read-only tools with short answers, for planning agents. The tools ask the questions of the service."""

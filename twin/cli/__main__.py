"""`python -m twin.cli`: the same as the command `twin`."""

from .main import main

main()

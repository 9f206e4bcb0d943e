"""`python -m handgrad` is `handgrad`."""

from handgrad.cli.main import main

main()

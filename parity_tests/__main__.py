"""`python -m parity_tests` is `handgrad`."""

from parity_tests.cli.main import main

main()

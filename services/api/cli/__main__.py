"""Run the command line: `./ronda --help`."""

from services.api.cli.commands import main

main()

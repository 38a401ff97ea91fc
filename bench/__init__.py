"""The figures that Ronda promises, measured on the machine at hand: `make bench`, `python -m bench <name>…`."""

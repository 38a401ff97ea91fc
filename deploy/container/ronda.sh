#!/bin/sh
# The command line inside the image: docker compose run --rm ronda --help
exec python -m services.api.cli "$@"

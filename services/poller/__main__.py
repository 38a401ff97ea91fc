"""Run the poller: `python -m services.poller`."""

from services.poller.main import main

raise SystemExit(main())

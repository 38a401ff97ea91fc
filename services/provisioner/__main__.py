"""Run the provisioner: `python -m services.provisioner`."""

import sys

from services.provisioner.main import main

sys.exit(main())

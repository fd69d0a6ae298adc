"""`python -m cli ...`, which `./farm ...` becomes once everything is installed."""

import sys

from cli.app import main

sys.exit(main())

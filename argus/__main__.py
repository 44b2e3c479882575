"""`python -m argus` is the command `argus`."""

import sys

from argus.cli.main import main

sys.exit(main())

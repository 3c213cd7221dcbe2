"""What the packaged program runs. PyInstaller needs a file; the package's own `__main__` is a module."""

import sys

from lynkr_desktop.__main__ import main

sys.exit(main())

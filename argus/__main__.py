"""The command `argus`, and `python -m argus`."""

import sys


def main() -> int:
    """Run the command and return its exit status. Ctrl-C while its modules are loaded ends it without a word."""
    try:
        from argus.cli.main import main as run

        return run()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())

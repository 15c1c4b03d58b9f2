"""The console script ``histolab`` and ``python -m histolab_lib``."""

from histolab_lib.cli import app


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()

"""The console script ``histolab`` and ``python -m histolab_lib``."""

import sys


def main() -> None:
    """Run the command line; where typer or rich is missing, that part of it which trains and reads records."""
    try:
        from histolab_lib.cli import app
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("typer", "rich", "click"):
            raise
        sys.exit(_without_typer(error.name))
    app()


def _without_typer(missing: str) -> int:
    from histolab_lib.run_commands import COMMANDS, main

    if sys.argv[1:2] and sys.argv[1] in COMMANDS:
        return main(sys.argv[1:])
    sys.stderr.write(
        f"error: {missing} is not installed; without it there are only: {', '.join(COMMANDS)}. "
        "python -m pip install typer rich brings the others\n"
    )
    return 2


if __name__ == "__main__":
    main()

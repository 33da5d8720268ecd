"""`foretype-proxy`, and `python -m edge_proxy`: says what to install where only the language server was."""

import sys


def main() -> int:
    """Run the program; its exit code."""
    try:
        from edge_proxy.cli import main as run
    except ModuleNotFoundError as error:
        print(f"foretype-proxy: {error.name} is not installed: pip install 'foretype[proxy]'.", file=sys.stderr)
        return 2
    return run()


if __name__ == "__main__":
    sys.exit(main())

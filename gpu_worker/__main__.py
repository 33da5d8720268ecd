"""`foretype-worker`, and `python -m gpu_worker`: says what to install where only the language server was."""

import sys


def main() -> int:
    """Run the program; its exit code."""
    try:
        from gpu_worker.cli import main as run
    except ModuleNotFoundError as error:
        print(
            f"foretype-worker: {error.name} is not installed: pip install 'foretype[worker]', or 'foretype[local]' for "
            "llama.cpp.",
            file=sys.stderr,
        )
        return 2
    return run()


if __name__ == "__main__":
    sys.exit(main())

"""`laconic VERB …` runs scripts/VERB.py: its docstring is the help, `arguments` declares, `main` does and returns the exit code."""

import argparse
import ast
import importlib
import sys
from pathlib import Path

from catalog.errors import Refused, nearest
from methods.kit.errors import Refused as LabRefused

FOLDER = Path(__file__).parent


def files() -> dict[str, Path]:
    """Verb → its file. `import` is a keyword of the language, so its file is import_.py."""
    return {path.stem.rstrip("_").replace("_", "-"): path for path in sorted(FOLDER.glob("[!_]*.py"))}


def verbs() -> dict[str, str]:
    """Verb → its one-line help, read from the files without importing them, so that `--help` stays quick."""
    found = {}
    for verb, path in files().items():
        words = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        found[verb] = words.splitlines()[0] if words else ""
    return found


def usage() -> str:
    known = verbs()
    width = max(map(len, known))
    rows = "\n".join(f"  {verb:<{width}}  {words}" for verb, words in known.items())
    return (
        "usage: laconic VERB [options]   (laconic VERB --help for its options)\n\n"
        f"{rows}\n\nexit codes: 0 done, 1 failed, 2 wrong usage, 3 partly done, 4 stale (status only), 130 interrupted"
    )


def run(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if argv else 2
    verb, *rest = argv
    known = files()
    if verb not in known:
        raise Refused(f"laconic: unknown verb {verb!r}{nearest(verb, known)}", exit_code=2)
    module = importlib.import_module(f"scripts.{known[verb].stem}")
    parser = argparse.ArgumentParser(
        prog=f"laconic {verb}", description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    module.arguments(parser)
    return int(module.main(parser.parse_args(rest)))


def main() -> None:
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except (Refused, LabRefused) as refused:
        print(refused, file=sys.stderr)
        code = refused.exit_code
    except KeyboardInterrupt:
        print("interrupted; what was finished is kept", file=sys.stderr)
        code = 130
    except BrokenPipeError:  # the reader (head, less) has seen enough
        sys.stdout = None
        code = 0
    sys.exit(code)


if __name__ == "__main__":
    main()

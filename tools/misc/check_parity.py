"""Hold this package against recorded outputs of the public releases, through its public API.

    python tools/misc/check_parity.py WHAT FILE

WHAT is the name of a module in ``tools/misc/parity``; ``check_parity.py WHAT --help`` tells its arguments. Prints the
largest differences per output; the exit status is 1 where a limit is exceeded.
"""
import importlib
import sys
from pathlib import Path

from mmhuman_dto.programs import program

FOLDER = Path(__file__).parent / 'parity'


@program
def main(argv):
    names = sorted(path.stem for path in FOLDER.glob('[a-z]*.py'))
    if not argv or argv[0] not in names:
        print(f'{__doc__}\nWHAT: {", ".join(names)}', file=sys.stderr)
        return 2
    sys.path.insert(0, str(FOLDER.parent))
    return importlib.import_module(f'parity.{argv[0]}').main(argv[1:])


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

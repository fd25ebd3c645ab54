"""Which of mutmut's mutants to try: so many of each package, the same ones each time. See docs/testing.md."""
import argparse
import json
import random
from pathlib import Path

from mmhuman_dto.programs import program

PACKAGES = ('dto', 'geometry', 'models/losses', 'datasets/transforms', 'evaluation', 'visualization')
#: mutmut's exit codes of mutants that no test failed for, and of those that no test reached.
SURVIVED = (0, 33)


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--mutants', type=Path, default=Path('mutants'), help='folder that mutmut has written')
    parser.add_argument('--count', type=int, default=25, help='mutants of a package')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--results', action='store_true', help='print what became of them, not their names')
    return parser.parse_args()


@program
def main():
    args = parse_args()
    for package in PACKAGES:
        files = (args.mutants / 'mmhuman_dto' / package).rglob('*.meta')
        codes = {}
        for file in files:
            codes.update(json.loads(file.read_text())['exit_code_by_key'])
        drawn = random.Random(args.seed).sample(sorted(codes), min(args.count, len(codes)))
        if not args.results:
            print(*drawn, sep='\n')
            continue
        tried = [name for name in drawn if codes[name] is not None]
        survivors = [name for name in tried if codes[name] in SURVIVED]
        print(f'{package}: {len(tried) - len(survivors)} of {len(tried)} noticed', *survivors, sep='\n    ')


if __name__ == '__main__':
    main()

#!/usr/bin/env python
"""Turn people of one body into people of another: same pose, joints, surface and height, as near as the other can.

    mmhuman-dto convert people.json --to anny --out people_anny.json
    mmhuman-dto convert people.npz --to smplx --model-path data/smplx --source-path data/smpl \\
        --mapping smpl2smplx_deftrafo_setup.pkl --out people_smplx.npz

PEOPLE are files that this package writes: people.json, people.npz, or the folder of a people table; they say of which
body they are. By how much joints and surface are off is printed a person, in mm. docs/bodies.md says what is fitted.
"""
import argparse

from mmhuman_dto.apis.converting import BODIES, PeopleConversion, summary
from mmhuman_dto.programs import output_file, program


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('people', help='file or table of people')
    parser.add_argument('--to', required=True, choices=BODIES, help='body that they become')
    parser.add_argument('--model-path', help="that body's files, where it has some")
    parser.add_argument('--source', help='body of the people, where their file does not say it')
    parser.add_argument('--source-path', help="their body's files, where it has some")
    parser.add_argument('--mapping', help="the file of SMPL-X's authors that makes the vertices of one body of the "
                                          "other's: smpl2smplx_deftrafo_setup.pkl or smplx2smpl_deftrafo_setup.pkl")
    parser.add_argument('--gender', default='neutral', choices=('neutral', 'male', 'female'),
                        help='of the files (default %(default)s)')
    parser.add_argument('--out', required=True, type=output_file, help='file to write, .json or .npz, or folder of a '
                                                                       'table')
    return parser.parse_args(argv)


@program
def main(argv=None):
    args = parse_args(argv)
    convert = PeopleConversion(args.to, args.model_path, args.source, args.source_path, args.mapping, args.gender)
    for line in summary(convert(args.people, args.out)):
        print(line)
    print(f'wrote {args.out}')


if __name__ == '__main__':
    main()

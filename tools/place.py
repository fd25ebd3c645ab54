#!/usr/bin/env python
"""People in another program's results, placed in metres: who is near, who is far, who is a child.

Reads what the program wrote (docs/place_formats.md lists programs and files), places the people of each picture
together by DTO, and writes to the output folder:
    results/         the same files in the same layout, with what placing changes: translations, absolute points
    placement.json   who is where, how tall, how sure that is, and how much each mesh grew
    overlay/ glb/ .. pictures, meshes and parameters, a folder a kind (--save)
"""
import argparse
import sys

try:
    import mmhuman_dto  # noqa: F401
except ModuleNotFoundError:
    sys.exit(f'{sys.executable} has no mmhuman_dto: ". .venv/bin/activate" first (made by make install, see README)')

from mmengine.config import DictAction

from mmhuman_dto.apis.placing import place
from mmhuman_dto.fileio.names import printable
from mmhuman_dto.programs import focal_option, output_folder, program
from mmhuman_dto.registry import RESULTS
from mmhuman_dto.visualization import load_viser, show
from mmhuman_dto.visualization.writers import WRITERS, KindError

DEFAULT_KINDS = ('overlay', 'birdseye', 'params', 'glb')


def parse_args(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('results', nargs='?', help='file or folder that the program wrote')
    parser.add_argument('--from', dest='kind', metavar='KIND', help='one of --list; default: what the files look like')
    parser.add_argument('--images', help='folder of the pictures, or the video, that the results are of')
    parser.add_argument('--depth', help='depth maps: a folder of files, or a transformers model (name or folder)')
    parser.add_argument('--depth-kind', help="what the maps hold: 'disparity', 'depth' or 'metres'")
    parser.add_argument('--ages', help='JSON file {name of the picture: {"ages": [years], "male_probs": [0..1]}}, in '
                                       'the order of the people; null where unknown')
    parser.add_argument('--masks', help='folder of id maps: 0 nobody, i + 1 the person in row i')
    parser.add_argument('--focal', help="px of the picture, 'exif', 'depth' (came with the maps), 'results' (as the "
                                        'program had it), or a JSON file {name of the picture: px}; default: as the '
                                        "program had it, unless it made it up and the picture's file says better")
    parser.add_argument('--body-models', help="folder of SMPL's and SMPL-X's files, for results without meshes")
    parser.add_argument('--dto', action=argparse.BooleanOptionalAction, default=True,
                        help='--no-dto only reads, shows and writes what was there')
    parser.add_argument('--frame-by-frame', action='store_true',
                        help='place each frame of a video for itself; default: all together, with one height a person')
    parser.add_argument('--cameras', metavar='still|moving|FILE',
                        help="of a video: 'still', 'moving' in ways nobody knows, or camera poses (COLMAP, TUM, npz, "
                             'json: docs/video.md); default: still')
    parser.add_argument('--fps', type=float, help="frames a second; default: what --images' video says, else 30")
    parser.add_argument('--out', '--out-dir', type=output_folder, help='default: work_dirs/place')
    parser.add_argument('--save', nargs='+', choices=[*WRITERS, 'none'], default=DEFAULT_KINDS, metavar='KIND',
                        help=f'any of {", ".join(WRITERS)}, or none; default: {" ".join(DEFAULT_KINDS)}')
    parser.add_argument('--show', action='store_true',
                        help='then look around in all pictures with a browser, until Ctrl-C (needs viser)')
    parser.add_argument('--device', help='cpu, cuda:0, ...; default: a GPU where there is one')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE',
                        help="change configs/place/place.py: stages.dto.solver.terms.ground=None")
    parser.add_argument('--list', action='store_true', help='list what is read, and nothing else')
    args = parser.parse_args(arguments)
    if args.results is None and not args.list:
        parser.error('name the results')
    return args


@program
def main(arguments=None):
    args = parse_args(arguments)
    if args.list:
        print(listing())
        return 0
    if args.show:
        load_viser()  # or it is said at once how to install it
    out = args.out or output_folder('work_dirs/place')
    placed = place(args.results, args.images, args.kind, args.depth, args.depth_kind, args.ages, args.masks,
                   focal_option(args.focal), args.body_models, args.dto, args.device, args.cfg_options,
                   through_time=False if args.frame_by_frame else None, cameras=args.cameras, fps=args.fps)
    pictures = '1 picture' if len(placed) == 1 else f'{len(placed)} pictures'
    print(f'{args.results}: {pictures} of {placed.reader.program}')
    for note in placed.notes:
        print(f'note: {note}')
    for failed in placed.results.failed:
        print(failed, file=sys.stderr)
    kinds, people, unwritten, shown = [kind for kind in args.save if kind != 'none'], 0, 0, []
    for scene in placed:
        try:
            scene.save(out, kinds)
        except KindError as error:  # what can be written of it is
            unwritten += 1
            print(error, file=sys.stderr)
        people += scene.is_placed
        if args.show:
            shown.append(scene.scene)
        print(f'{scene.img_id}: {scene.people.summary}' + (f' ({scene.note})' if scene.note else ''))
    placed.write_back(out / 'results')
    placed.write_report(out / 'placement.json')
    written = ['results', 'placement.json', *(kind for kind in kinds if (out / kind).is_dir())]
    print(f'In {printable(out)}/: {", ".join(written)}')
    if shown:
        show(shown)
    if args.dto and not people:
        print('Nobody was placed in any picture; why is said above', file=sys.stderr)
        return 1
    return 1 if unwritten or placed.results.failed else 0


def listing():
    """Kinds of results, the program of each, and the files that are read."""
    readers = sorted({reader.kind: reader for reader in RESULTS.module_dict.values()}.items())
    width = max(len(kind) for kind, _ in readers)
    return '\n'.join(f'{kind:{width}}  {reader.program}\n{"":{width}}  {reader.files}' for kind, reader in readers)


if __name__ == '__main__':
    sys.exit(main())

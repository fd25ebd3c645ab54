#!/usr/bin/env python
"""People in another program's results, placed in metres: who is near, who is far, who is a child.

Reads what the program wrote (docs/place_formats.md lists programs and files), places the people of each picture
together by DTO, and writes to the output folder:
    results/         the same files in the same layout, with what placing changes: translations, absolute points
    placement.json   who is where, how tall, how sure that is, and how much each mesh grew
    overlay/ glb/ .. pictures, meshes and parameters, a folder a kind (--save); of a video one mp4 and one table
"""
import argparse
import sys

try:
    import mmhuman_dto  # noqa: F401
except ModuleNotFoundError:
    sys.exit(f'{sys.executable} has no mmhuman_dto: ". .venv/bin/activate" first (made by make install, see README)')

from mmengine.config import DictAction
from rich.console import Console
from rich.progress import Progress, TextColumn

from mmhuman_dto.apis.placing import place
from mmhuman_dto.apis.placing.files import KINDS, PICTURE_KINDS, VIDEO_KINDS, filmed, save_whole, sorted_kinds
from mmhuman_dto.fileio.names import printable
from mmhuman_dto.programs import focal_option, output_folder, program
from mmhuman_dto.registry import RESULTS
from mmhuman_dto.visualization import load_viser, show
from mmhuman_dto.visualization.people_rows import measured
from mmhuman_dto.visualization.writers import KindError


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
    parser.add_argument('--save', nargs='+', choices=[*KINDS, 'none'], metavar='KIND',
                        help=f'any of {", ".join(KINDS)}, or none; default: {" ".join(PICTURE_KINDS)}, of a video '
                             f'{" ".join(VIDEO_KINDS)}. Of a video what clips are saved as is one file for all of it, '
                             'other kinds are pictures of each frame')
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
    kinds = args.save or (VIDEO_KINDS if placed.is_video else PICTURE_KINDS)
    kinds = [kind for kind in kinds if kind != 'none']
    film, whole, each = sorted_kinds(kinds, placed.is_video)
    count, of = len(placed), 'frame' if placed.is_video else 'picture'
    print(f'{args.results}: {count} {of}{"" if count == 1 else "s"} of {placed.reader.program}')
    for note in placed.notes:
        print(f'note: {note}')
    for failed in placed.results.failed:
        print(failed, file=sys.stderr)
    people, unwritten, shown = 0, 0, []
    scenes = filmed(placed, out) if film else placed
    for scene in followed(scenes, placed) if placed.is_video else scenes:
        unwritten += failed_to(scene.save, out, each)
        people += scene.is_placed
        if args.show:
            shown.append(scene.scene)
        if scene.note or not placed.is_video:
            print(f'{scene.img_id}: {scene.people.summary}' + (f' ({scene.note})' if scene.note else ''))
    if placed.is_video:
        unwritten += failed_to(save_whole, placed, out, whole)
        for person in placed.people:
            print(line_of(person))
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


def failed_to(save, *arguments):
    """Whether some kinds could not be saved, which is said; all others are."""
    try:
        save(*arguments)
    except KindError as error:
        print(error, file=sys.stderr)
        return True
    return False


def followed(scenes, placed):
    """Yield the scenes of a video behind a bar that shows how far it is and how long it takes."""
    columns = *Progress.get_default_columns(), TextColumn('{task.fields[rate]}')
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True,
                  redirect_stdout=sys.stdout.isatty()) as progress:
        task = progress.add_task('frames', total=len(placed) * (2 if placed.through_time else 1), rate='')

        def advance():
            progress.advance(task)
            speed = progress.tasks[0].speed
            progress.update(task, rate=f'{speed:.1f} frames/s' if speed else '')

        placed.advance = advance
        for scene in scenes:
            advance()
            yield scene


def line_of(person):
    """Such as '#3: 1.72 ± .05 m tall, in 87 frames, 0.0 to 2.9 s'."""
    height, std = (float('nan') if person[name] is None else person[name] for name in ('height', 'height_std'))
    return (f'#{person["track_id"]}: {measured(height, std, 2) or "?"} tall, in {person["frames"]} frames, '
            f'{person["first_time"]:.1f} to {person["last_time"]:.1f} s')


def listing():
    """Kinds of results, the program of each, and the files that are read."""
    readers = sorted({reader.kind: reader for reader in RESULTS.module_dict.values()}.items())
    width = max(len(kind) for kind, _ in readers)
    return '\n'.join(f'{kind:{width}}  {reader.program}\n{"":{width}}  {reader.files}' for kind, reader in readers)


if __name__ == '__main__':
    sys.exit(main())

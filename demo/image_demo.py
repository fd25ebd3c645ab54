#!/usr/bin/env python
"""People of photos in metres: over the photo, from the side and from above, as parameters and as meshes.

Without arguments the bundled network looks at a bundled picture. Writes to the output folder, a folder a
kind (--save), a file a picture:
    overlay/     the photo with its people, heights and distances beside them
    side/        from the side on a metre grid
    birdseye/    straight from above on a metre grid
    params/      .json and .npz: pose, shape, translation, camera; see docs/inference.md
    glb/ obj/    meshes; glb with the camera
    html/        one page to walk around in, before and after
    table/       all pictures as one people table, which HumanTable reads
With --dto everything is shown before | after DTO, and files hold the people after it (NAME_before those before).
"""
import argparse
import sys
from pathlib import Path

from mmhuman_dto.apis.inference import DTOInferencer, MetricHMRInferencer
from mmhuman_dto.engine.model import DEFAULT_DTO, DEFAULT_MODEL
from mmhuman_dto.tables.people_table import PeopleTableBuilder
from mmhuman_dto.visualization.writers import WRITERS, save_scene

ROOT = Path(__file__).resolve().parents[1]
#: A picture of the kind that the bundled network knows.
DEFAULT_INPUT = ROOT / 'demo/resources/group/images/0000.jpg'
DEFAULT_SAVE = ('overlay', 'side', 'birdseye', 'params', 'glb')


def parse_args(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('input', nargs='?', default=DEFAULT_INPUT, help='image, video, or folder of both')
    parser.add_argument('config', nargs='?', default=DEFAULT_MODEL, help='of the network; default: %(default)s')
    parser.add_argument('checkpoint', nargs='?', help='its weights; default: the bundled ones')
    parser.add_argument('--dto', nargs='?', const=DEFAULT_DTO, metavar='RECIPE',
                        help='place people together by DTO; a recipe of configs/dto, default: %(const)s')
    parser.add_argument('--data-root', help="folder that files named in the recipe are relative to; default: that of "
                                            "the picture's images/ where it has disparity/ too, else the recipe's")
    parser.add_argument('--out-dir', type=Path, default=Path('work_dirs/image_demo'))
    parser.add_argument('--save', nargs='+', choices=[*WRITERS, 'table'], default=DEFAULT_SAVE, metavar='KIND',
                        help=f'any of {", ".join(WRITERS)}, table; default: {" ".join(DEFAULT_SAVE)}')
    parser.add_argument('--focal', help="focal length in px of the photo, or 'exif' to take it from the file where it "
                                        "says; default: the network's estimate")
    parser.add_argument('--threshold', type=float, help="confidence of people, 0..1; default: the network's")
    parser.add_argument('--batch-size', type=int, default=4)
    parser.add_argument('--device', help='cpu, cuda:0, ...; default: a GPU where there is one')
    parser.add_argument('--allow-urls', action='store_true', help='fetch http(s) addresses')
    return parser.parse_args(arguments)


def main(arguments=None):
    args = parse_args(arguments)
    try:
        inferencer = build(args)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    table, names, failed = PeopleTableBuilder(type(inferencer.body_model).__name__), set(), 0
    for result in inferencer(args.input):
        if result.error:
            failed += 1
            print(result.error, file=sys.stderr)
            continue
        name = free_name(result.img_id, names)
        save_scene(result.scene(inferencer.body_model), args.out_dir, name, [k for k in args.save if k != 'table'])
        if 'table' in args.save and (result.placed is not None or not args.dto):
            table.add(result.last)
        print(describe(result))
    if 'table' in args.save:
        table.write(args.out_dir / 'table')
    print(f'In {args.out_dir}/: {", ".join(args.save)} of {len(names)} pictures'
          + (f'; {failed} could not be read' if failed else ''))
    return 1 if failed else 0


def build(args):
    """The inferencer that the arguments ask for."""
    focal = dict(type='ExifFocal') if args.focal == 'exif' else args.focal and float(args.focal)
    people = MetricHMRInferencer(args.config, args.checkpoint, args.device, args.batch_size, args.threshold, focal,
                                 args.allow_urls)
    return DTOInferencer(people, args.dto, data_root=args.data_root or own_folder(args.input)) if args.dto else people


def own_folder(path):
    """DIR of DIR/images/NAME with depth maps in DIR/disparity, as make_synthetic_crowd.py writes them, else None."""
    folder = next((parent.parent for parent in [Path(path), *Path(path).parents] if parent.name == 'images'), None)
    return folder if folder and (folder / 'disparity').is_dir() else None


def free_name(img_id, taken):
    """A file name for a picture: its own without suffix, unless another picture has that already."""
    name = str(Path(img_id).with_suffix(''))
    name = img_id.replace('.', '_') if name in taken else name
    taken.add(name)
    return name


def describe(result):
    """One line about a picture's people."""
    people = result.last.pred_instances
    text = f'{result.img_id}: {len(people)} people'
    if len(people):
        near, far, short, tall = (float(v) for v in (people.transl[:, 2].min(), people.transl[:, 2].max(),
                                                     people.heights.min(), people.heights.max()))
        text += f', {near:.1f} to {far:.1f} m away, {short:.2f} to {tall:.2f} m tall'
    return f'{text} ({result.note})' if result.note else text


if __name__ == '__main__':
    sys.exit(main())

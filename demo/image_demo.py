#!/usr/bin/env python
"""People of photos and videos in metres: over the picture, from the side and above, as parameters and as meshes.

Without arguments a bundled photo is looked at. Writes to the output folder, a folder a kind (--save), a file a picture:
    overlay/     the photo with its people, heights and distances beside them
    side/        from the side on a metre grid
    birdseye/    straight from above on a metre grid
    params/      .json and .npz: pose, shape, translation, camera; see docs/inference.md
    glb/ usd/    people as meshes over their bones, and the camera; obj/ ply/ meshes alone
    bvh/ amass/ trc/    bones, poses and joints, a file a person; see docs/export.md
    html/        one page to walk around in, before and after
    table/       all pictures as one people table, which HumanTable reads
Where DTO runs everything is shown before | after it, and files hold the people after it (NAME_before those before).

People of a video (a file, or 0, 1, ... for a camera) are followed: one size each, one place a frame; see docs/video.md.
A file a video:
    mp4/         people over the picture | from above, with where they went
    params/ csv/ who was where, by number of person: one people table, a sheet for programs of tables
    glb/ usd/    everybody's mesh over bones that move; html/ one page with a time line
    bvh/ amass/ trc/    motion, a file a person
"""
import argparse
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import mmhuman_dto  # noqa: F401
except ModuleNotFoundError:
    sys.exit(f'{sys.executable} has no mmhuman_dto: ". .venv/bin/activate" first (made by make install, see README)')

import cv2
from mmengine.config import DictAction
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from mmhuman_dto import HumanInferencer
from mmhuman_dto.apis.inference.catalogue import RECIPES, listing
from mmhuman_dto.apis.inference.inputs import count_photos
from mmhuman_dto.apis.inference.result import DEFAULT_KINDS
from mmhuman_dto.apis.video import VideoInferencer
from mmhuman_dto.apis.video.inferencer import DEFAULT_RECIPE as VIDEO_RECIPE
from mmhuman_dto.apis.video.input import is_camera
from mmhuman_dto.apis.video.live import LivePeople
from mmhuman_dto.apis.video.result import DEFAULT_KINDS as CLIP_DEFAULT_KINDS
from mmhuman_dto.apis.video.result import KINDS as CLIP_KINDS
from mmhuman_dto.dto import DropReason
from mmhuman_dto.fileio.finding import VIDEO_SUFFIXES, find_pictures, is_video
from mmhuman_dto.fileio.images import IMAGE_SUFFIXES, ImageError
from mmhuman_dto.fileio.names import OutputNames, printable
from mmhuman_dto.fileio.video import open_camera
from mmhuman_dto.perception.depth_kinds import KINDS
from mmhuman_dto.programs import focal_option, output_folder, program
from mmhuman_dto.tables.people_table import PeopleTableBuilder
from mmhuman_dto.visualization import Placement, Scene, load_viser, show
from mmhuman_dto.visualization.clip_video import ClipVideoWriter
from mmhuman_dto.visualization.writers import WRITERS, KindError

ROOT = Path(__file__).resolve().parents[1]
#: Frames a second that a video of a camera is written with.
CAMERA_RATE = 10.
DEFAULT_INPUT = ROOT / 'demo/resources/photo/treadmill.jpg'


def parse_args(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('inputs', nargs='*', default=[DEFAULT_INPUT],
                        help='images, videos, folders of both, addresses, the number of a camera; default: a bundled '
                             'photo')
    parser.add_argument('--recipe', help=f'one of --list, or a config of stages; default: {RECIPES[0].name}, of videos '
                                         f'{VIDEO_RECIPE}')
    parser.add_argument('--model', help='for --recipe network: config of a Metric-Aware HMR network, file or name')
    parser.add_argument('--checkpoint', help='its weights; default: the bundled ones')
    parser.add_argument('--depth', help="depth maps for DTO: a transformers model (name or folder), a folder of maps, "
                                        "or 'none'; default: the recipe's")
    parser.add_argument('--depth-kind', choices=KINDS, help='what the maps hold: inverse depth, depth up to a factor, '
                                                            'or metres (docs/depth.md); default: what the files say')
    parser.add_argument('--dto', action=argparse.BooleanOptionalAction,
                        help="place people together by DTO; default: with --depth, else as the recipe has it")
    parser.add_argument('--focal', help="focal length in px of the photo, 'exif' to take it from the file where it "
                                        "says, 'depth' for that of the depth maps' camera, or a JSON file {name of the "
                                        "picture: px}; default: the recipe's")
    parser.add_argument('--threshold', type=float, help="for --recipe network: confidence of people, 0..1")
    parser.add_argument('--out-dir', type=output_folder, help='default: work_dirs/image_demo')
    parser.add_argument('--save', nargs='+', choices=list(dict.fromkeys([*WRITERS, 'table', *CLIP_KINDS])),
                        metavar='KIND', help=f'any of {", ".join(WRITERS)}, table; default: {" ".join(DEFAULT_KINDS)}; '
                                             f'of videos {", ".join(CLIP_KINDS)}; default: '
                                             f'{" ".join(CLIP_DEFAULT_KINDS)}')
    parser.add_argument('--frame-by-frame', action='store_true', help='videos are so many pictures, nobody is followed')
    parser.add_argument('--cameras', default='still', help="how the camera of videos moves: 'still', 'moving' (nobody "
                                                           'knows how), or a file of camera poses (docs/video.md); '
                                                           'default: %(default)s')
    parser.add_argument('--show', action='store_true', help='then look around in all pictures with a browser, until '
                                                            'Ctrl-C (pip install viser)')
    parser.add_argument('--device', help='cpu, cuda:0, ...; default: a GPU where there is one')
    parser.add_argument('--batch-size', type=int, default=4)
    parser.add_argument('--allow-urls', action='store_true', help='fetch http(s) addresses')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE',
                        help="change the recipe's config: stages.depth.source.model=DIR")
    parser.add_argument('--list', action='store_true', help='list recipes and weights, and nothing else')
    return parser.parse_args(arguments)


@program
def main(arguments=None):
    args = parse_args(arguments)
    if args.list:
        print(listing())
        return 0
    if args.show:
        load_viser()
    args.out_dir = args.out_dir or output_folder('work_dirs/image_demo')
    videos = [] if args.frame_by_frame else videos_of(args.inputs)
    args.inputs = [path for path in args.inputs if path not in videos and not holds_only(path, videos)]
    failed = run_videos(args, videos) if videos else 0
    return max(failed, run_pictures(args)) if args.inputs else failed


def videos_of(inputs):
    """Videos, those of folders too, and numbers of cameras."""
    found = []
    for path in inputs:
        if is_video(path) or is_camera(path):
            found.append(path)
        elif Path(path).is_dir():
            found += [Path(path) / name for name in find_pictures(Path(path), VIDEO_SUFFIXES)]
    return found


def holds_only(path, videos):
    """Whether a folder has some of the videos, and no picture."""
    return Path(path).is_dir() and any(Path(path) in Path(video).parents for video in videos) and not find_pictures(
        Path(path), IMAGE_SUFFIXES)


def run_pictures(args):
    """Exit status, once everything that is no video was looked at."""
    args.recipe, args.save = args.recipe or RECIPES[0].name, picked(args.save, [*WRITERS, 'table'], DEFAULT_KINDS)
    inferencer = HumanInferencer(
        args.recipe, args.depth, args.dto, focal_option(args.focal), args.model, args.checkpoint, args.threshold,
        args.device, args.batch_size, args.allow_urls, args.cfg_options, args.depth_kind)
    table, scenes, failed, placed, unwritten = PeopleTableBuilder(type(inferencer.body_model).__name__), 0, 0, 0, 0
    shown = []
    with progress_bar(args.inputs, args.frame_by_frame) as advance:
        for scene in inferencer(args.inputs, videos=args.frame_by_frame):
            if scene.error:
                failed += 1
                print(scene.error, file=sys.stderr)
            else:
                scenes += 1
                placed += scene.is_placed
                try:
                    scene.save(args.out_dir, [kind for kind in args.save if kind != 'table'])
                except KindError as error:  # what can be written of it is
                    unwritten += 1
                    print(error, file=sys.stderr)
                if 'table' in args.save and scene.people and (scene.is_placed or not scene.note):
                    add_to(table, scene)
                print(f'{scene.img_id}: {scene.summary}')
                if args.show:
                    shown.append(scene.scene)
            advance()
    if 'table' in args.save:
        table.write(args.out_dir / 'table')
    print(f'In {printable(args.out_dir)}/: {", ".join(args.save)} of {scenes} pictures'
          + (f'; {failed} could not be read' if failed else ''))
    if shown:
        show(shown)
    if (args.dto or args.depth not in (None, 'none')) and not placed:
        print('DTO was asked for, and placed nobody in any picture; why is said above', file=sys.stderr)
        return 1
    return 1 if failed or unwritten else 0


def run_videos(args, videos):
    """Exit status, once all videos were looked at."""
    refused = [name for name in ('model', 'checkpoint', 'threshold') if getattr(args, name) is not None]
    if refused or args.dto is False:
        raise ValueError(f'--{refused[0] if refused else "no-dto"} is of pictures; --frame-by-frame makes videos such')
    kinds = picked(args.save, CLIP_KINDS, CLIP_DEFAULT_KINDS)
    inferencer = VideoInferencer(args.recipe or VIDEO_RECIPE, args.depth, focal_option(args.focal), args.device,
                                 args.batch_size, args.cfg_options, args.depth_kind, args.cameras)
    failed, names = 0, OutputNames()
    for path in videos:
        if is_camera(path):
            watch(inferencer, int(path), args.out_dir / f'camera{path}.mp4')
            continue
        try:
            with steps() as progress:
                clip = inferencer(path, args.out_dir / 'unfinished', progress=progress)
                clip.name = names.of(Path(path).name)
                paths = clip.save(args.out_dir, kinds, progress=progress)
        except (ImageError, KindError) as error:  # what can be written of it is
            failed = 1
            print(error, file=sys.stderr)
            continue
        print(f'{path}: {clip.summary}')
        print(f'In {printable(args.out_dir)}/: {", ".join(str(path.relative_to(args.out_dir)) for path in paths)}')
        failed |= bool(clip.failed)
        if args.show:
            show([scene for scene, _ in clip.scenes()])
        clip.discard()
    return failed


def watch(inferencer, number, path):
    """Look at a camera until Ctrl-C or q, show what is seen, and write it as a video."""
    live, faces = LivePeople(inferencer), inferencer.body_model.faces.cpu().numpy()
    print(f'camera {number}: q in its window, or Ctrl-C, ends it')
    with ClipVideoWriter(path, CAMERA_RATE) as writer, suppress(KeyboardInterrupt):  # what was written stays
        for _, time, image in open_camera(number):
            sample = live.add(time, image)
            placement = Placement.from_sample(sample, inferencer.body_model)
            picture = writer.add(Scene(f'camera {number}', image, faces, placement), time)
            if not shown(picture, f'camera {number}'):
                break
    print(f'In {printable(path)}: {live.count} frames')


def shown(picture, title):
    """Whether to go on; a machine without windows goes on until Ctrl-C."""
    try:
        cv2.imshow(title, picture[..., ::-1])
        return cv2.waitKey(1) & 0xFF != ord('q')
    except cv2.error:
        return True


def picked(kinds, known, default):
    """Those of ``--save`` that there are of this kind of input; ValueError where there are none."""
    if kinds is None:
        return default
    found = [kind for kind in kinds if kind in known]
    if not found:
        raise ValueError(f'--save {" ".join(kinds)}: there are only {", ".join(known)} here')
    return found


def add_to(table, scene):
    """Add the people whom DTO did not leave out of a picture that a table can tell from the others."""
    path = scene.sample.img_path
    if scene.img_id in table.ids or (printable(path) != path and not path.endswith(scene.img_id)):
        print(f'{scene.img_id}: not in the table, which finds pictures by names: another one is called so, or its name '
              'is no UTF-8 text', file=sys.stderr)
    else:
        table.add(without_dropped(scene.sample))


def without_dropped(sample):
    """A sample without the people whom DTO left out."""
    people, kept = sample.pred_instances, sample.new()
    if 'drop_reasons' in people:
        kept.pred_instances = people[people.drop_reasons == DropReason.KEPT]
    return kept


@contextmanager
def steps():
    """Gives a function (what is done, how much, of how much) to be called often: bars with frames/s and what is left,
    on stderr where that is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda *_: None
        return
    with Progress(TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(), RateColumn(),
                  TimeRemainingColumn(), console=console, transient=True) as bar:
        tasks = {}

        def progress(what, done, total):
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total or None)
            bar.update(tasks[what], completed=done)
        yield progress


class RateColumn(ProgressColumn):
    """Frames a second."""

    def render(self, task):
        return Text(f'{task.speed:.1f} frames/s' if task.speed else '')


@contextmanager
def progress_bar(inputs, videos):
    """Gives a function to be called after each picture: a bar on stderr where that is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda: None
        return
    with Progress(TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
                  console=console, transient=True, redirect_stdout=sys.stdout.isatty()) as bar:
        task = bar.add_task('pictures', total=count_photos(inputs, videos))
        yield lambda: bar.advance(task)


if __name__ == '__main__':
    sys.exit(main())

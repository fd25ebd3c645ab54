#!/usr/bin/env python
"""What this installation is made of, and whether it works: to look at, and to paste into a bug report.

    python tools/misc/doctor.py           # or: mmhuman-dto doctor

Paths are shortened so that they say nothing of you. The exit status is 1 where something that is needed is broken; the
last lines say what to do. Any Python can start it, also one that lacks the package.
"""
import argparse
import hashlib
import importlib
import os
import platform
import shutil
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Package -> module, of what is needed, and of those that are not: what each is for, and how it is got.
NEEDED = {'torch': 'torch', 'numpy': 'numpy', 'mmengine': 'mmengine', 'mmcv-lite': 'mmcv', 'smplx': 'smplx.vertex_ids',
          'opencv-python': 'cv2', 'pillow': 'PIL.Image', 'roma': 'roma', 'safetensors': 'safetensors.torch',
          'numba': 'numba', 'scipy': 'scipy.optimize', 'fast-simplification': 'fast_simplification',
          'pycocotools': 'pycocotools.mask', 'rich': 'rich', 'tensorboard': 'tensorboard',
          'pygltflib': 'pygltflib'}
OPTIONAL = {'transformers': ('networks of the Hugging Face hub', 'pip install "mmhuman_dto[transformers]"'),
            'mmdet': ('people by networks of OpenMMLab', 'docs/perception.md'),
            'mmpose': ('joints by networks of OpenMMLab', 'docs/perception.md'),
            'ray': ('generation on a cluster', 'pip install "mmhuman_dto[ray]"'),
            'OpenEXR': ('depth maps in .exr files', 'pip install "mmhuman_dto[exr]"'),
            'usd-core': ('people as USD', 'pip install "mmhuman_dto[usd]"'),
            'pillow-heif': ('HEIC pictures', 'pip install pillow-heif')}
#: What stands in place of a package where it does not fit the machine: its module is the same.
INSTEAD = {'opencv-python': ('opencv-python-headless', ), 'mmcv-lite': ('mmcv', )}
#: Of the three people of the bundled picture, from near to far: distance and height, m, in truth; and how far off, as a
#: share and in m, the recipe for photos may be.
TRUTH, OFF = ((2.26, 1.41), (3.20, 1.72), (6.17, 1.65)), (.12, .15)
PICTURE = 'demo/resources/photo/treadmill.jpg'


class Report:
    """Lines as they are found out, and what is wrong."""

    def __init__(self):
        self.wrong = []
        self.places = sorted({str(place): name for place, name in (
            (ROOT, '.'), (Path.cwd(), '.'), (Path.home(), '~'), (sys.prefix, 'PREFIX')) if str(place) != '/'}.items(),
            key=lambda item: -len(item[0]))

    def say(self, what, text):
        print(f'{what:<22} {self.private(text)}', flush=True)

    def blame(self, what, text, cure):
        """Say that something is wrong, and at the end what to do."""
        self.say(what, f'WRONG: {text}')
        self.wrong.append(self.private(f'{what}: {str(text).rstrip(".")}. {cure}'))

    def private(self, text):
        """A text without the paths that tell who and where somebody is, in one line."""
        text = ' '.join(str(text).encode('utf-8', 'backslashreplace').decode().split())
        for place, name in self.places:
            text = text.replace(place, name)
        return text


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--body-models', type=Path, default=Path('data/smpl'),
                        help='folder of licensed body models (default %(default)s)')
    parser.add_argument('--no-self-test', action='store_true', help='leave the picture out')
    args = parser.parse_args(argv)
    report = Report()
    check_machine(report)
    whole = check_packages(report)
    check_device(report)
    if whole:
        check_files(report)
        check_body_models(report, args.body_models)
        if not args.no_self_test:
            check_picture(report)
    if not report.wrong:
        print('\nAll that is needed is there and works.')
        return 0
    print(f'\n{len(report.wrong)} wrong:', *report.wrong, sep='\n  ')
    return 1


def check_machine(report):
    """Python, operating system, processors, memory and disk."""
    report.say('Python', f'{platform.python_version()} {platform.python_implementation()}, {sys.executable}')
    report.say('system', platform.platform())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30
    threads = os.environ.get('OMP_NUM_THREADS', '-')
    report.say('processors', f'{cores} of {os.cpu_count()} cores, OMP_NUM_THREADS {threads}')
    report.say('memory', f'{memory:.1f} GiB')
    report.say('free disk', f'{shutil.disk_usage(Path.cwd()).free / 2**30:.1f} GiB in the current folder')


def check_packages(report):
    """Versions; whether the package and all that it needs can be imported."""
    try:
        import mmhuman_dto
    except ImportError as error:
        report.blame('mmhuman_dto', f'not in this Python ({error})', 'In the checkout: ". .venv/bin/activate"' + (
            '.' if (ROOT / '.venv').exists() else ', after "make install".'))
        return False
    report.say('mmhuman_dto', f'{mmhuman_dto.__version__} {commit()}, {Path(mmhuman_dto.__file__).parent}')
    wanted, whole = wanted_versions(), True
    for package, module in NEEDED.items():
        cure = f'pip install "{package}{wanted.get(package, "")}", or make install.'
        try:
            importlib.import_module(module)
        except Exception as error:  # libraries that do not load raise anything
            report.blame(package, f'cannot be imported ({error})', cure)
            whole = False
            continue
        version = version_of(package)
        if version and not fits(version, wanted.get(package, '')):
            report.blame(package, f'{version}, wanted is {wanted[package]}', cure)
        else:
            report.say(package, version or 'there')
    for package, (purpose, cure) in OPTIONAL.items():
        version = version_of(package)
        report.say(package, f'{version}: {purpose}' if version else f'not installed; for {purpose}: {cure}')
    return whole


def commit():
    """Of a checkout, its commit; ''."""
    git = shutil.which('git')
    done = git and (ROOT / '.git').exists() and subprocess.run(
        [git, 'describe', '--always', '--dirty'], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done else ''


def version_of(package):
    """Version of a package, or of what stands in its place; ''."""
    for name in (package, *INSTEAD.get(package, ())):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return ''


def wanted_versions():
    """Package -> versions of it that are wanted, as the installed package's metadata say."""
    from packaging.requirements import Requirement
    try:
        texts = metadata.requires('mmhuman_dto') or ()
    except metadata.PackageNotFoundError:
        return {}
    return {found.name: str(found.specifier) for found in map(Requirement, texts) if 'extra' not in str(found.marker)}


def fits(version, wanted):
    from packaging.specifiers import SpecifierSet
    return SpecifierSet(wanted).contains(version, prereleases=True)


def check_device(report):
    """What torch computes on, where there is one."""
    try:
        import torch
    except Exception:  # said before
        return
    report.say('torch threads', f'{torch.get_num_threads()}; built for CUDA {torch.version.cuda or "-"}')
    driver = driver_version()
    if not torch.cuda.is_available():
        report.say('device', f'CPU; a GPU is there (driver {driver}) that this torch cannot use: README, "Installing"'
                   if driver else 'CPU, no GPU')
        return
    for index in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(index)
        memory = about.total_memory / 2**30
        report.say(f'device cuda:{index}', f'{about.name}, {memory:.1f} GiB, driver {driver or "?"}')
        try:
            ones = torch.ones(8, 8, device=f'cuda:{index}')
            if float((ones @ ones).sum()) != 512:
                raise RuntimeError('it multiplies wrongly')
        except RuntimeError as error:
            report.blame(f'device cuda:{index}', error, 'Install a torch for this GPU and driver (README, '
                                                        '"Installing"), or use --device cpu.')


def driver_version():
    """Version of NVIDIA's driver; ''."""
    program = shutil.which('nvidia-smi')
    done = program and subprocess.run([program, '--query-gpu=driver_version', '--format=csv,noheader'],
                                      capture_output=True, text=True)
    return done.stdout.split('\n')[0].strip() if done and done.returncode == 0 else ''


def check_files(report):
    """Weights and pictures that come with the package: there, and as they were."""
    from mmhuman_dto.fileio.bundled import CHECKSUMS, bundled_file
    for name, checksum in CHECKSUMS.items():
        path, cure = bundled_file(name), 'Get the file again: git checkout it, or install the package again.'
        if not path.is_file():
            report.blame('bundled', f'{path} is not there', cure)
        elif hashlib.sha256(path.read_bytes()).hexdigest() != checksum:
            report.blame('bundled', f'{path} is not as it was ({path.stat().st_size} bytes)', cure)
        else:
            report.say('bundled', f'{path.name}, {path.stat().st_size / 1e6:.1f} MB, as it was')


def check_body_models(report, folder):
    """Which licensed body models are there, and whether they can be read."""
    from mmhuman_dto.body_models.assets import find_body_file
    from mmhuman_dto.registry import BODY_MODELS
    found = []
    for family, kind in (('smpl', 'SMPL'), ('smplx', 'SMPLX')):
        for gender in ('neutral', 'male', 'female'):
            try:
                found.append((find_body_file(folder, family, gender), dict(
                    type=kind, model_path=str(folder), gender=gender)))
            except FileNotFoundError:
                continue
    for path, config in [(Path('openbody.npz'), dict(type='OpenBody')), *found]:
        try:
            body_model = BODY_MODELS.build(config)
        except Exception as error:
            report.blame('body model', error, 'Or leave the file out.')
        else:
            report.say('body model', f'{path.name}: {config["type"]}, {body_model.num_betas} shape coefficients')
    names = ('smpl_kid_template.npy', 'J_regressor_extra.npy', 'J_regressor_h36m_correct.npy')
    others = [name for name in names if any((place / name).is_file() for place in (folder, folder / 'smpl'))]
    report.say('licensed models', f'looked for in {folder.absolute()}: {len(found)} bodies; beside them '
               f'{", ".join(others) or "nothing"} (of {", ".join(names)}); without them OpenBody is used')


def check_picture(report):
    """The recipe for photos on the bundled picture, held to what is true of it."""
    start = time.perf_counter()
    try:
        from mmhuman_dto import HumanInferencer
        from mmhuman_dto.fileio.bundled import bundled_file
        people = sorted(HumanInferencer()(bundled_file(PICTURE)).people, key=lambda person: person.distance)
    except Exception as error:
        report.blame('self-test', f'{type(error).__name__}: {error}', 'Report this with all lines above.')
        return
    seconds, (share, metres) = time.perf_counter() - start, OFF
    found = ', '.join(f'{person.height:.2f} m tall {person.distance:.2f} m away' for person in people)
    right = len(people) == len(TRUTH) and all(
        abs(person.distance / distance - 1) < share and abs(person.height - height) < metres
        for person, (distance, height) in zip(people, TRUTH))
    if right:
        report.say('self-test', f'{found}: as it should be; {seconds:.1f} s')
    else:
        true = ', '.join(f'{height:.2f} m tall {distance:.2f} m away' for distance, height in TRUTH)
        report.blame('self-test', f'{found or "nobody"} where there are {true}', 'Report this with all lines above.')


if __name__ == '__main__':
    sys.exit(main())

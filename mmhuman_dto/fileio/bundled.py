"""What comes with the package besides its code: configs, weights, a picture; in a wheel as well as in a checkout."""
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_INSTALLED = _PACKAGE / '.bundled'  # setup.py fills it when a wheel is built
#: What the checkout's own paths are relative to: ``BUNDLED / 'demo/resources/photo/treadmill.jpg'``.
BUNDLED = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent
CONFIGS = BUNDLED / 'configs'
#: SHA-256 of the larger files that come along.
CHECKSUMS = {
    'mmhuman_dto/body_models/data/openbody.npz': '30af399a389d3c79f2b48b403e1bf6a7d129a0b2971b3a3ea58a187d6076e367',
    'mmhuman_dto/body_models/data/anny_faces.npz': '86a32708bd9d83d08fab9440cbaf114957699a0f60a713bd5146159a75dba31b',
    'mmhuman_dto/body_models/data/measuring.npz': '6a59364345396f24df75fc69330cbdd2d62748a5303949810924d2b3b40c4b27',
    'mmhuman_dto/movenet/data/movenet_multipose.safetensors':
        'd8cd44a83f490f89d9b4b70dcbec370495010df7dd14be715e3432a5895cb654',
    'mmhuman_dto/movenet/data/movenet_features.safetensors':
        '8ce90ed57c174b9bdbbdca58ca643cccccc1d2998cc2208723b80f1f978c2360',
    'mmhuman_dto/perception/data/blazepose_full.safetensors':
        '635b30d31c20de62db0b441572958cb8e477acea546a30fee89916fc8dc2fcbf',
    'demo/resources/vit-tiny_synthetic-crowd.safetensors':
        '67ba4524cc6e18eaad5ab12cb5f6d06481c915ab5a02eeb677a28178b6e65c64',
    'demo/resources/movenet_synthetic-crowd.safetensors':
        '3c61d8dcb8e6d4d6c2a4ea04465d6c342dc9ecc0bfb0a0875f5671472f48d8f3',
    'demo/resources/openbody_coco17.safetensors':
        '4c7c482fcf8ae0a1c768ff0ec26a1f7c912d56cb4805d99a9eb693756af00758',
    'demo/resources/photo/treadmill.jpg': 'd7e04c3e7f5d521a51101ef86b5df2112c8a0144da32783eb0dc20674c6af1b9'}


def bundled_file(name):
    """Path of one of ``CHECKSUMS``, in a checkout as in a wheel."""
    package, _, rest = name.partition('/')
    return _PACKAGE / rest if package == _PACKAGE.name else BUNDLED / name


def shipped_configs():
    """Name -> path of the configs in ``configs/``, without those that are only bases of others."""
    return {path.stem: path for path in sorted(CONFIGS.rglob('*.py')) if '_base_' not in path.parts}


def find_config(name):
    """Path of a config: a file, or one of those in ``configs/`` by its name without ``.py``.

    Raises:
        FileNotFoundError: neither; lists the names there are.
    """
    if Path(name).is_file():
        return Path(name)
    shipped = shipped_configs()
    if str(name) not in shipped:
        raise FileNotFoundError(f'{name}: neither a config file nor the name of one; names: {", ".join(shipped)}')
    return shipped[str(name)]

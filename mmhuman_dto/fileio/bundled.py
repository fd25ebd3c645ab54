"""What comes with the package besides its code: configs, weights, a picture; in a wheel as well as in a checkout."""
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_INSTALLED = _PACKAGE / '.bundled'  # setup.py fills it when a wheel is built
#: What the checkout's own paths are relative to: ``BUNDLED / 'demo/resources/photo/treadmill.jpg'``.
BUNDLED = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent
CONFIGS = BUNDLED / 'configs'


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

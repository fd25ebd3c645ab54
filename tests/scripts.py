"""Programs of the repository as modules, for tests that call their functions."""
import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def load_script(path):
    """The module at ``path``, relative to the repository; its ``main`` is not run. It may import its neighbours."""
    if str((ROOT / path).parent) not in sys.path:
        sys.path.append(str((ROOT / path).parent))
    spec = importlib.util.spec_from_file_location(f'script_{Path(path).stem}', ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

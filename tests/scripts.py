"""Programs of the repository as modules, for tests that call their functions."""
import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[1]


def load_script(path):
    """The module at ``path``, relative to the repository; its ``main`` is not run."""
    spec = importlib.util.spec_from_file_location(f'script_{Path(path).stem}', ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

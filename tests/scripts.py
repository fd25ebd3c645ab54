"""Programs of the repository as modules, for tests that call their functions."""
import importlib.util
import os
import socket
import subprocess
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


def run_two(*command):
    """Run a program in two gloo processes, as torchrun starts them; what each of them printed."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    shared = {**os.environ, 'PYTHONPATH': os.pathsep.join([str(ROOT / 'tests'), str(ROOT)]), 'WORLD_SIZE': '2',
              'OMP_NUM_THREADS': '1', 'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': str(port)}
    command = list(map(str, [sys.executable, *command, '--launcher', 'pytorch']))
    ranks = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                              env={**shared, 'RANK': str(rank), 'LOCAL_RANK': str(rank)}) for rank in range(2)]
    outputs = [process.communicate(timeout=300)[0] for process in ranks]
    assert [process.returncode for process in ranks] == [0, 0], outputs
    return outputs

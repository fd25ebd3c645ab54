"""A small disk of its own for the struck folder: a tmpfs that can be filled and turned read-only."""
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_INSIDE = 'CHAOS_OWN_MOUNTS'
_NAMESPACES = (['--mount'], ['--map-root-user', '--mount'])


def enter_own_mounts():
    """Start this program again where it may mount, unseen by the rest of the machine; returns whether it can.

    As root or, where the kernel gives users namespaces, as anybody. The mounts go with the program, however it ends.
    """
    if _INSIDE in os.environ:
        return os.environ[_INSIDE] == 'yes'
    for options in _NAMESPACES:
        command = ['unshare', *options]
        trial = ['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', tempfile.gettempdir()]
        if shutil.which('unshare') and subprocess.run([*command, *trial], capture_output=True).returncode == 0:
            os.environ[_INSIDE] = 'yes'
            os.execvp(command[0], [*command, sys.executable, *sys.argv])
    os.environ[_INSIDE] = 'no'
    return False


class Ground:
    """A folder ``out`` to strike, on a disk of ``size`` bytes; an ordinary folder where nothing can be mounted.

    Args:
        folder: where; it must not exist.
        size: bytes of the disk.
        mounts: whether this process may mount.
    """

    def __init__(self, folder, size, mounts):
        self.folder, self.size, self.mounts = Path(folder), size, mounts
        self.out = self.folder / 'out'
        self.folder.mkdir(parents=True)
        if mounts:
            subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={size}', 'tmpfs', self.folder], check=True)

    def leave_bytes(self, free):
        """Make the disk so small that ``free`` bytes are left."""
        # No size at all would be no limit at all.
        self._shrink(lambda disk: f'size={max((disk.f_blocks - disk.f_bfree) * disk.f_frsize + free, 4096)}')

    def leave_files(self, free):
        """Let ``free`` more files be made."""
        self._shrink(lambda disk: f'nr_inodes={disk.f_files - disk.f_ffree + free}')

    def freeze(self, life=None):
        """Turn the disk read-only, while a process lives at the first moment that no file is open for writing.

        Returns:
            bool: whether it was done before the process ended.
        """
        while not self._remount('ro', check=life is None):
            if life.ended():
                return False
            time.sleep(.0005)
        return True

    def mend(self):
        """Writable again, with room."""
        if self.mounts:
            self._remount(f'rw,size={self.size},nr_inodes=100000')

    def remove(self):
        if self.mounts:
            subprocess.run(['umount', '--lazy', self.folder], check=True)
        shutil.rmtree(self.folder)

    def _shrink(self, options):
        """Again and again, for what a living process writes between the look at the disk and the change."""
        for _ in range(100):
            if self._remount(options(os.statvfs(self.folder)), check=False):
                return
        raise RuntimeError(f'{self.folder}: cannot be made smaller')

    def _remount(self, options, check=True):
        # With the old options left out: in a user's namespace they would be refused.
        command = ['mount', '--options-mode', 'ignore', '-t', 'tmpfs', '-o', f'remount,{options}', 'tmpfs', self.folder]
        return subprocess.run(command, check=check, capture_output=not check).returncode == 0

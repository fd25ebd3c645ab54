"""An output folder while a run works in it: nobody else does, and a disk that gives up is reported as such."""
import errno
import fcntl
import os
import socket
from contextlib import contextmanager, suppress
from pathlib import Path

from mmhuman_dto.fileio.atomic import explain

from .launch import on_first_rank
from .manifest import LOCK, GenerationError

#: What file systems without locks answer.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@contextmanager
def at_work_in(folder, go_on='go on with --resume'):
    """Lock a folder against other runs for the block; the processes of one run share the lock of the first.

    The folder is made where it is not there; ``go_on`` tells users how to go on after an error of the disk. The kernel
    holds the lock and takes it back when the process ends, however it ends: a lock file that was left behind never
    stops a run, whatever process it names. File systems that know no locks are used without.

    Raises:
        GenerationError: another run is at work there, or the folder cannot be written; what is finished stays.
    """
    lock = _Lock(Path(folder))
    try:
        on_first_rank(lock.take)
        yield
    except OSError as error:
        raise GenerationError(f'{explain(folder, error)}. All finished shards are kept: put it right and {go_on}'
                              ) from error
    finally:
        lock.give_back()


class _Lock:

    def __init__(self, folder):
        self.path, self.file = folder / LOCK, None

    def take(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        while not self._take_file():
            pass

    def give_back(self):
        if self.file is not None:
            with suppress(OSError):  # of a disk that became read-only; the file alone locks nothing
                self.path.unlink(missing_ok=True)
            self.file.close()

    def _take_file(self):
        """Whether the file that now is at ``path`` is ours: the one opened may have been removed by its owner."""
        file = self.path.open('a+')
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip() or 'another process'
            file.close()
            raise GenerationError(f'{owner} is at work in {self.path.parent}: wait for it or stop it, or take another '
                                  '--out-dir') from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        if not self.path.exists() or not os.path.samestat(os.fstat(file.fileno()), self.path.stat()):
            file.close()
            return False
        file.truncate(0)
        file.write(f'process {os.getpid()} on {socket.gethostname()}\n')
        file.flush()
        self.file = file
        return True

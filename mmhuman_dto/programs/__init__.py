"""What all programs of the repository share: how they end, options that name places for output and focal lengths."""
import functools
import os
import sys

from mmhuman_dto.fileio.outputs import output_file, output_folder, planned_folder

#: Set to anything, it brings back the traceback of what ends a program in one line.
DEBUG = 'MMHUMAN_DTO_DEBUG'
#: Exit status of a program that Ctrl-C ended, as shells have it.
_INTERRUPTED = 130


def program(main=None, *, status=1):
    """Let a program's ``main`` end with one line on stderr where a user can put something right.

    That are the errors that this package raises itself, and those of files, values and packages that are not there. Any
    other is a fault of ours, and keeps its traceback.

    Args:
        status: exit status of such an end: of 1 ``main`` raises SystemExit, any other it returns.
    """
    if main is None:
        return functools.partial(program, status=status)

    name = os.path.basename(main.__code__.co_filename)

    @functools.wraps(main)
    def run(*args, **kwargs):
        try:
            return main(*args, **kwargs)
        except KeyboardInterrupt as stopped:
            sys.exit(_end(f'{name}: {str(stopped) or "stopped by Ctrl-C"}', _INTERRUPTED))
        except Exception as error:
            ours = type(error).__module__.startswith('mmhuman_dto.')
            if DEBUG in os.environ or not (ours or isinstance(error, (OSError, ValueError, ImportError))):
                raise
            known = ours or isinstance(error, OSError)
            hint = '' if known else f' ({type(error).__name__}; {DEBUG}=1 shows where)'
            return _end(f'{name}: {error}{hint}', status, error)

    return run


def focal_option(text):
    """What is given as ``--focal``: a number (px) where it is one, else the text, or None."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return text


def _end(line, status, error=None):
    if status == 1:
        raise SystemExit(line) from error
    print(line, file=sys.stderr)  # noqa: T201
    return status

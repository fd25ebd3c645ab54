"""What processes of data loaders say when the training that they work for hangs up."""
import os
import sys

import pytest

from mmhuman_dto.engine.interruption import Interruption


@pytest.mark.parametrize('kind, heard', [(ConnectionResetError, False), (EOFError, False), (ValueError, True)])
def test_a_data_loader_whose_training_has_gone_is_silent(kind, heard, capfd):
    before = sys.excepthook
    with Interruption():
        child = os.fork()
        if not child:
            sys.excepthook(kind, kind('gone'), None)
            sys.stderr.flush()
            os._exit(0)
        os.waitpid(child, 0)
        assert ('gone' in capfd.readouterr().err) == heard
        sys.excepthook(kind, kind('of the training itself'), None)
        assert 'of the training itself' in capfd.readouterr().err
    assert sys.excepthook is before

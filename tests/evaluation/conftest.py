from pathlib import Path

import pytest


@pytest.fixture(scope='session')
def cases():
    """The module ``metric_cases``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent))
        import metric_cases
        yield metric_cases

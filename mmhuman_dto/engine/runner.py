"""MMEngine's runners, of which a log begins with what can be read at a glance."""
import platform

import mmengine
import torch
from mmengine.runner import FlexibleRunner as _FlexibleRunner
from mmengine.runner import Runner as _Runner

import mmhuman_dto


class _Brief:
    """The config goes to the work folder alone, and of hooks the names are listed, in the order they are called in."""

    def get_hooks_info(self):
        return ', '.join(type(hook).__name__ for hook in self.hooks)

    def _log_env(self, *args):
        devices = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] or ['CPU']
        processes = f'{self.world_size} processes' if self.world_size > 1 else '1 process'
        self.logger.info(
            f'mmhuman_dto {mmhuman_dto.__version__}, Python {platform.python_version()}, PyTorch {torch.__version__}, '
            f'MMEngine {mmengine.__version__}; {", ".join(devices)}; {processes}, {torch.get_num_threads()} threads; '
            f'the config as it is used: {self.work_dir}')


class Runner(_Brief, _Runner):
    """See :class:`mmengine.runner.Runner`."""


class FlexibleRunner(_Brief, _FlexibleRunner):
    """See :class:`mmengine.runner.FlexibleRunner`."""

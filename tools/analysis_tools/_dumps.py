"""What the tools that read dumps have in common: which metrics, on the command line."""
import sys

try:
    import mmhuman_dto  # noqa: F401
except ModuleNotFoundError:
    sys.exit(f'{sys.executable} has no mmhuman_dto: ". .venv/bin/activate" first (made by make install, see README)')

from mmengine.config import Config, ConfigDict, DictAction

from mmhuman_dto.fileio.config import read_config


def add_dump_arguments(parser):
    """DUMP, and the metrics: those of CONFIG, or --metric with --options."""
    parser.add_argument('dump', help='folder that tools/test.py --dump wrote')
    parser.add_argument('config', nargs='?', help='config file, whose test_evaluator is taken')
    parser.add_argument('--metric', help='instead of a config: a metric, such as AGORAMetric')
    parser.add_argument('--options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE',
                        help='of --metric, such as body_model.type=OpenBody; or overriding entries of the config')


def metric_configs(args):
    """Configs of the metrics that the command line asks for.

    Raises:
        ValueError: neither a config nor a metric, or both.
    """
    from mmhuman_dto.apis.training import metrics_of
    from mmhuman_dto.registry import METRICS
    if (args.config is None) == (args.metric is None):
        raise ValueError('name either a config or a metric by --metric')
    if args.metric:
        if METRICS.get(args.metric) is None:
            raise ValueError(f'no metric is called {args.metric!r}; there are {", ".join(sorted(METRICS.module_dict))}')
        cfg = Config(dict(metric=dict(type=args.metric)))
        cfg.merge_from_dict({f'metric.{key}': value for key, value in args.options.items()})
        return [ConfigDict(cfg.metric)]
    cfg = read_config(args.config, args.options)
    return metrics_of(cfg)

"""The images with the worst value of a figure, from what tools/test.py --dump kept.

    python tools/analysis_tools/worst_images.py DUMP CONFIG --figure agora/mve [--top 20] [--csv all_images.csv]
    python tools/analysis_tools/worst_images.py DUMP --metric CrowdMetric --options body_model.type=OpenBody \\
        --figure crowd/translation_error

Each image is scored alone. Errors are worst where they are highest; precision, PCK and the like where they are lowest.
"""
import argparse
import csv
import math
import sys

from _dumps import add_dump_arguments, metric_configs

from mmhuman_dto.programs import output_file, program


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_dump_arguments(parser)
    parser.add_argument('--figure', required=True, help='name as printed by tools/test.py: agora/mve')
    parser.add_argument('--top', type=int, default=20, help='how many images to print')
    parser.add_argument('--csv', type=output_file, help='write all figures of all images to this file')
    return parser.parse_args(argv)


def metric_of(configs, figure):
    """The metric whose prefix a figure has.

    Raises:
        ValueError: there is none.
    """
    from mmhuman_dto.registry import METRICS
    prefixes = [config.get('prefix') or METRICS.get(config['type']).default_prefix for config in configs]
    for config, prefix in zip(configs, prefixes):
        if figure.startswith(f'{prefix}/'):
            return config
    raise ValueError(f'no metric gives {figure}; their figures begin with {", ".join(f"{p}/" for p in prefixes)}')


def write_csv(path, rows):
    """A line an image, a column a figure; empty where an image has no such figure."""
    with open(path, 'w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(['image', *rows[0][1]])
        writer.writerows([image, *('' if math.isnan(value) else value for value in figures.values())]
                         for image, figures in rows)


@program
def main(argv=None):
    args = parse_args(argv)
    from mmhuman_dto.apis.scoring import image_figures, more_is_better
    try:
        rows = list(image_figures(args.dump, metric_of(metric_configs(args), args.figure)))
        if not rows:
            raise ValueError('no images in it')
        name = args.figure.split('/', 1)[1]
        if name not in rows[0][1]:
            raise ValueError(f'no figure {name}, there are {", ".join(rows[0][1])}')
    except (ValueError, KeyError, FileNotFoundError) as error:
        sys.exit(f'{args.dump}: {error}')
    known = [(figures[name], image) for image, figures in rows if not math.isnan(figures[name])]
    for value, image in sorted(known, reverse=not more_is_better(name))[:args.top]:
        print(f'{value:12.4f}  {image}')
    if len(known) < len(rows):
        print(f'{len(rows) - len(known)} of {len(rows)} images have no {args.figure}: nobody annotated or found there')
    if args.csv:
        write_csv(args.csv, rows)


if __name__ == '__main__':
    main()

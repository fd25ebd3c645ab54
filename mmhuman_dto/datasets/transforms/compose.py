"""A pipeline, and the source of randomness of the transforms in it."""
import zlib

import numpy as np

from mmhuman_dto.registry import TRANSFORMS


class Pipeline:
    """Transforms one after the other, each sample -> sample, built from this project's registry.

    Unlike MMEngine's ``Compose`` it needs no default scope; a transform may be a callable.
    """

    def __init__(self, transforms):
        self.transforms = [TRANSFORMS.build(t) if isinstance(t, dict) else t for t in transforms]

    def __call__(self, sample):
        for transform in self.transforms:
            sample = transform(sample)
        return sample

    def many(self, samples):
        """The same for a list of samples; transforms that have a method ``many`` themselves get all of them at once."""
        for transform in self.transforms:
            samples = transform.many(samples) if hasattr(transform, 'many') else [transform(s) for s in samples]
        return samples


def generator_of(sample, transform):
    """The random generator of a transform for a sample.

    Seeded by the sample's metainfo ``draw`` (integers, set by :class:`WeightedMixture`: seed and position in training)
    and ``img_id``, and by the transform's name: no state is kept, so workers, ranks and resumed runs draw the same, and
    a transform more in a pipeline changes nothing for the others. Without ``draw`` an image always looks the same.
    """
    names = f'{sample.get("img_id", "")}/{type(transform).__name__}'
    return np.random.default_rng([*sample.get('draw', ()), zlib.crc32(names.encode())])

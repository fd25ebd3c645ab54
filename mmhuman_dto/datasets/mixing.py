"""Several datasets as one endless stream with fixed shares."""
import numpy as np
from torch.utils.data import Dataset

from mmhuman_dto.registry import DATASETS

from .transforms import Pipeline

#: Shares are exact in each run of this many positions.
BLOCK = 1000
#: Length of what has no end.
ENDLESS = 1 << 40


@DATASETS.register_module()
class WeightedMixture(Dataset):
    """Position p of training -> an image: which one, and how it is augmented, follows from (seed, p) alone.

    So runs resume exactly and a global batch is the same on any number of ranks; give it to
    ``dict(type='EndlessSampler', shuffle=False)``, which counts positions. In each block of 1000 positions every
    dataset has its exact share, in random order; a dataset's images come in a new random order each time all of them
    have been used.

    Args:
        datasets: configs of datasets without random transforms.
        weights: share of each, positive; normalised.
        pipeline: transforms, run on every item; their random numbers follow from metainfo ``draw`` = (seed, p).
        seed: of order and augmentation.

    Raises:
        ValueError: other than one weight a dataset, a share below 1 / 1000, or a dataset without images.
    """

    def __init__(self, datasets, weights, pipeline=(), seed=0):
        self.datasets = [DATASETS.build(d) if isinstance(d, dict) else d for d in datasets]
        for dataset in self.datasets:
            if len(dataset) == 0:
                raise ValueError(f'{dataset.metainfo["dataset_name"]}: no images to mix in')
        self.slots = _slots(weights, len(self.datasets))
        self.pipeline, self.seed = Pipeline(pipeline), seed
        self.metainfo = dict(dataset_name='+'.join(d.metainfo['dataset_name'] for d in self.datasets))
        self._orders = {}

    def __len__(self):
        return ENDLESS

    def __getitem__(self, position):
        which, index = self.locate(position)
        sample = self.datasets[which][index]
        sample.set_metainfo(dict(draw=(self.seed, position)))
        return self.pipeline(sample)

    def __getitems__(self, positions):
        """A loader's batch, see :meth:`Pipeline.many`."""
        located = [self.locate(position) for position in positions]
        samples = [None] * len(positions)
        for which, dataset in enumerate(self.datasets):
            places = [place for place, (owner, _) in enumerate(located) if owner == which]
            for place, sample in zip(places, _items(dataset, [located[place][1] for place in places])):
                sample.set_metainfo(dict(draw=(self.seed, positions[place])))
                samples[place] = sample
        return self.pipeline.many(samples)

    def locate(self, position):
        """Dataset and index in it at a position."""
        block, place = divmod(position, BLOCK)
        plan = self._order('plan', block, lambda rng: rng.permutation(np.repeat(range(len(self.slots)), self.slots)))
        which = int(plan[place])
        drawn = block * self.slots[which] + np.count_nonzero(plan[:place] == which)
        size = len(self.datasets[which])
        times, place = divmod(int(drawn), size)
        return which, int(self._order(which, times, lambda rng: rng.permutation(size))[place])

    def _order(self, name, number, make):
        """The ``number``-th random order of a kind; the last one of each kind is kept."""
        if self._orders.get(name, (None, ))[0] != number:
            kind = 0 if name == 'plan' else name + 1
            self._orders[name] = number, make(np.random.default_rng([self.seed, kind, number]))
        return self._orders[name][1]


def _items(dataset, indices):
    return dataset.__getitems__(indices) if hasattr(dataset, '__getitems__') else [dataset[i] for i in indices]


def _slots(weights, count):
    """Positions (count,) of each dataset in a block, by largest remainders."""
    weights = np.asarray(weights, np.float64)
    if weights.shape != (count, ) or not (weights > 0).all():
        raise ValueError(f'weights {weights.tolist()}: one positive number for each of the {count} datasets')
    exact = weights / weights.sum() * BLOCK
    slots = np.floor(exact).astype(int)
    slots[np.argsort(slots - exact, kind='stable')[:BLOCK - slots.sum()]] += 1
    if not slots.all():
        raise ValueError(f'weights {weights.tolist()}: a share below 1 / {BLOCK}')
    return slots

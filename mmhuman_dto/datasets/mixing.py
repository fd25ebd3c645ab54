"""Several datasets as one endless stream with fixed shares, in which a broken sample costs itself."""
import logging

import numpy as np
import torch
from torch.utils.data import Dataset

from mmhuman_dto.registry import DATASETS

from .transforms import Pipeline

#: Shares are exact in each run of this many positions.
BLOCK = 1000
#: Length of what has no end.
ENDLESS = 1 << 40
#: Samples tried for a position; where so many in a row are broken, it is not the samples.
ATTEMPTS = 10
_LOGGER = logging.getLogger(__name__)


class BrokenSamplesError(RuntimeError):
    """Too many samples of a training set cannot be read; the message names the last one."""

    def __init__(self, message):
        # A loader's worker hands over the text of its traceback, which ends with the message.
        super().__init__(message.rsplit(f'{type(self).__name__}: ', 1)[-1].strip())


@DATASETS.register_module()
class WeightedMixture(Dataset):
    """Position p of training -> an image: which one, and how it is augmented, follows from (seed, p) alone.

    So runs resume exactly and a global batch is the same on any number of ranks; give it to
    ``dict(type='EndlessSampler', shuffle=False)``, which counts positions. In each block of 1000 positions every
    dataset has its exact share, in random order; a dataset's images come in a new random order each time all of them
    have been used.

    A sample that cannot be read or transformed costs itself: another one of its dataset is taken, which follows from
    (seed, p, attempt), and a warning names it.

    Args:
        datasets: configs of datasets without random transforms.
        weights: share of each, positive; normalised.
        pipeline: transforms, run on every item; their random numbers follow from metainfo ``draw`` = (seed, p).
        seed: of order and augmentation.
        max_broken: how many samples may be broken, on each rank.

    Raises:
        ValueError: other than one weight a dataset, a share below 1 / 1000, or a dataset without images.
        BrokenSamplesError: more than ``max_broken`` samples are broken, or 10 in a row.
    """

    def __init__(self, datasets, weights, pipeline=(), seed=0, max_broken=100):
        self.datasets = [DATASETS.build(d) if isinstance(d, dict) else d for d in datasets]
        for dataset in self.datasets:
            if len(dataset) == 0:
                raise ValueError(f'{dataset.metainfo["dataset_name"]}: no images to mix in')
        self.slots = _slots(weights, len(self.datasets))
        self.pipeline, self.seed = Pipeline(pipeline), seed
        self.metainfo = dict(dataset_name='+'.join(d.metainfo['dataset_name'] for d in self.datasets))
        # In memory that workers share, so that each is named once.
        self._broken = torch.full((max_broken + 1, ), -1).share_memory_()
        self._orders = {}

    def __len__(self):
        return ENDLESS

    def __getitem__(self, position):
        which, index = self.locate(position)
        attempt = 0
        while True:
            try:
                return self._sample(which, index, position)
            except Exception as error:
                attempt += 1
                self._report(which, index, error, last=attempt == ATTEMPTS)
            index = int(np.random.default_rng([self.seed, position, attempt]).integers(len(self.datasets[which])))

    def _sample(self, which, index, position):
        sample = self.datasets[which][index]
        sample.set_metainfo(dict(draw=(self.seed, position)))
        return self.pipeline(sample)

    def __getitems__(self, positions):
        """A loader's batch, see :meth:`Pipeline.many`."""
        try:
            return self._batch(positions)
        except Exception:  # some sample of the batch is broken: one by one, the others survive
            return [self[position] for position in positions]

    def _batch(self, positions):
        located = [self.locate(position) for position in positions]
        samples = [None] * len(positions)
        for which, dataset in enumerate(self.datasets):
            places = [place for place, (owner, _) in enumerate(located) if owner == which]
            for place, sample in zip(places, _items(dataset, [located[place][1] for place in places])):
                sample.set_metainfo(dict(draw=(self.seed, positions[place])))
                samples[place] = sample
        return self.pipeline.many(samples)

    def _report(self, which, index, error, last):
        """Name a broken sample the first time it is met; raise where there are too many, ``last``: of a position."""
        dataset, reason = self.datasets[which], ' '.join(str(error).split())
        name = dataset.image_id(index) if hasattr(dataset, 'image_id') else f'sample {index}'
        text = f'{dataset.metainfo["dataset_name"]}: {name}: {type(error).__name__}: {reason}'
        key, known = which * ENDLESS + index, self._broken.tolist()
        if key not in known and -1 in known:
            self._broken[known.index(-1)] = key
            _LOGGER.warning('left out of training, another sample is taken: %s', text)
        if last:
            raise BrokenSamplesError(f'{ATTEMPTS} samples in a row are broken, the last one is {text}') from error
        if -1 not in self._broken:
            raise BrokenSamplesError(f'more than max_broken={len(known) - 1} samples are broken, the last one is '
                                     f'{text}. train_dataloader.dataset.max_broken allows for more') from error

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

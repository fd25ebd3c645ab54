"""Samplers for training without epochs."""
import torch
from mmengine.dist import get_dist_info
from torch.utils.data import Sampler

from mmhuman_dto.registry import DATA_SAMPLERS

from .mixing import ENDLESS


@DATA_SAMPLERS.register_module()
class EndlessSampler(Sampler):
    """Indices without end: each pass over the data in an order of its own, the same on every machine.

    What comes at a position depends on (seed, position) alone, so training resumes exactly (``start_at``), and a given
    global batch holds the same images whatever the number of ranks.

    Args:
        dataset: anything with a length.
        shuffle: whether each pass has a random order.
        seed: of the orders.

    Raises:
        ValueError: no images, or a stream without end that shall be shuffled.
    """

    def __init__(self, dataset, shuffle=True, seed=0):
        if len(dataset) == 0:
            raise ValueError('a training set without images cannot be sampled')
        if shuffle and len(dataset) >= ENDLESS:
            raise ValueError('a stream without end has an order of its own: EndlessSampler needs shuffle=False')
        self.size, self.shuffle, self.seed = len(dataset), shuffle, seed
        self.rank, self.world_size = get_dist_info()
        self.position = 0

    def start_at(self, position):
        """Go on after ``position`` images of this rank."""
        self.position = position

    def __iter__(self):
        position = self.position * self.world_size + self.rank
        order_of, order = None, None
        while True:
            epoch, index = divmod(position, self.size)
            if epoch != order_of:
                order_of, order = epoch, self._order(epoch)
            yield order[index]
            position += self.world_size

    def _order(self, epoch):
        if not self.shuffle:
            return range(self.size)
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        return torch.randperm(self.size, generator=generator).tolist()

    def __len__(self):
        return self.size

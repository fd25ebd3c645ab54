"""Contact sheets: now and then a picture of what the generator did."""
from mmhuman_dto.structures import HumanDataSample
from mmhuman_dto.visualization import Placement, Scene, draw_contact_sheet, write_image


class ContactSheets:
    """Draws a sheet of the first ``rows`` kept images of every ``every`` images (0: none) into a folder.

    A sheet is named by the index of its first image; ``body_model`` makes the meshes, on the CPU.
    """

    def __init__(self, folder, body_model, every, rows):
        self.folder, self.body_model, self.every, self.rows = folder, body_model, every, rows
        self.block, self.taken = None, []

    def add(self, index, sample):
        """Offer image ``index``, after DTO; images come in rising order."""
        if not self.every:
            return
        if index // self.every != self.block:
            self.flush()
            self.block = index // self.every
        if len(self.taken) < self.rows:
            self.taken.append((index, self._scene(sample)))

    def flush(self):
        """Draw what was taken so far."""
        if self.taken:
            write_image(self.folder / f'{self.taken[0][0]:08d}.jpg', draw_contact_sheet([s for _, s in self.taken]))
        self.taken = []

    def _scene(self, sample):
        initial = sample.get('initial_instances', sample.pred_instances)  # the same without a stage that places people
        before = HumanDataSample(metainfo=sample.metainfo, pred_instances=initial, pred_camera=sample.pred_camera)
        placements = [Placement.from_sample(s.to('cpu'), self.body_model) for s in (before, sample)]
        return Scene(sample.img_id, sample.image, self.body_model.faces.numpy(), *placements)
